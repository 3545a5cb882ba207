//! A throw-away certificate authority, so that TLS costs what it costs at AWS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

pub struct Authority {
    pub server: Arc<ServerConfig>,
    folder: PathBuf,
}

impl Authority {
    /// Signs a certificate for `localhost` and writes what clients must trust into the folder.
    pub fn new(folder: &Path) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![]).expect("no names are fine");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a root certificate");
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&leaf_key, &issuer).expect("a certificate");

        std::fs::create_dir_all(folder).expect("the target folder can be written");
        std::fs::write(folder.join("root.pem"), root.pem()).expect("the target folder can be written");
        let aws =
            format!("{}\n{}", root.pem(), tests::read("shared/ingress/certs/amazon-trust-services.pem"));
        std::fs::write(folder.join("aws.pem"), aws).expect("the target folder can be written");

        let leaf_key = PrivateKeyDer::try_from(leaf_key.serialize_der()).expect("rcgen writes PKCS #8");
        let server =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("the provider knows them")
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der().clone()], leaf_key)
                .expect("the key is the certificate's");
        Authority { server: Arc::new(server), folder: folder.to_owned() }
    }

    /// The environment that makes a process trust it. The AWS clients parse as many authorities as they have built in on Lambda,
    /// and one more.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        [("SSL_CERT_FILE", path("root.pem")), ("AWS_CA_BUNDLE", path("aws.pem"))]
    }
}
