//! Calls against servers on this machine: what is safe to repeat, what is in doubt, what is refused.

use std::time::Duration;

use crate::{Answer, Call, Egress, Error, HeaderMap, Method, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Serves one connection: reads a request, writes `answer`, then keeps the connection open for `linger`.
async fn serve(answer: &'static str, linger: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/bot-token/send", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        assert!(request[..read].starts_with(b"POST /bot-token/send HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).await.unwrap();
        tokio::time::sleep(linger).await;
    });
    url
}

async fn post(url: &str, trust: Trust<'_>) -> Result<Answer, Error> {
    Egress::new()
        .unwrap()
        .send(Call {
            method: Method::POST,
            url,
            headers: HeaderMap::new(),
            body: b"hello".to_vec(),
            time_out: Duration::from_millis(400),
            max_bytes: 16,
            trust,
        })
        .await
}

#[tokio::test]
async fn an_error_status_is_an_answer() {
    let url =
        serve("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbusy", Duration::ZERO).await;
    let answer = post(&url, Trust::Configured).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (429, b"busy".as_slice()));
    assert_eq!(answer.headers["retry-after"], "7");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let url = serve(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n",
        Duration::ZERO,
    )
    .await;
    let answer = post(&url, Trust::Configured).await.unwrap();
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_compressed_answer_stays_as_it_is() {
    let url =
        serve("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nxyz", Duration::ZERO)
            .await;
    assert_eq!(post(&url, Trust::Configured).await.unwrap().body, b"xyz");
}

#[tokio::test]
async fn a_large_answer_is_cut_off_whether_or_not_it_announces_its_size() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n12345678901234567",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n123456789\r\n9\r\n123456789\r\n0\r\n\r\n",
    ] {
        let url = serve(answer, Duration::ZERO).await;
        assert_eq!(unread(&url).await, (200, "it is larger than 16 bytes".to_owned()), "{answer}");
    }
}

#[tokio::test]
async fn silence_after_the_request_is_in_doubt() {
    let url = serve("", Duration::from_secs(5)).await;
    assert!(matches!(post(&url, Trust::Configured).await, Err(Error::InDoubt(_))));
    let url = serve("HTTP/1.1 200 OK\r\ncontent-le", Duration::from_secs(5)).await;
    assert!(matches!(post(&url, Trust::Configured).await, Err(Error::InDoubt(_))));
}

#[tokio::test]
async fn a_connection_lost_after_the_request_is_in_doubt() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let url = serve(answer, Duration::ZERO).await;
        assert!(matches!(post(&url, Trust::Configured).await, Err(Error::InDoubt(_))), "{answer}");
    }
}

#[tokio::test]
async fn of_an_answer_that_breaks_off_or_dries_up_the_status_is_known() {
    let answer = "HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\n123";
    let slow = serve(answer, Duration::from_secs(5)).await;
    assert_eq!(unread(&slow).await, (503, "no answer in time".to_owned()));
    let broken = serve(answer, Duration::ZERO).await;
    assert_eq!(unread(&broken).await.0, 503);
}

async fn unread(url: &str) -> (u16, String) {
    match post(url, Trust::Configured).await {
        Err(Error::Unread { status, why }) => (status, why),
        Err(error) => panic!("{error:?}"),
        Ok(answer) => panic!("status {}", answer.status),
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_the_address_stays_out_of_the_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/bot-token/send", listener.local_addr().unwrap());
    drop(listener);
    let error = post(&url, Trust::Configured).await.err().unwrap();
    assert!(matches!(error, Error::NotSent(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("bot-token"), "{error:?}");
}

#[tokio::test]
async fn an_untrusted_address_on_this_machine_is_refused() {
    let any = Trust::Untrusted { hosts: &["*"] };
    for url in [
        "http://example.com/",
        "https://127.0.0.1:9001/",
        "https://[::1]/",
        // Resolved on this machine, without a name server: the resolver itself must say no.
        "https://localhost:9001/2018-06-01/runtime/invocation/next",
    ] {
        let error = post(url, any).await.err().unwrap();
        assert!(matches!(error, Error::Refused(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    assert!(matches!(post("/relative", Trust::Configured).await, Err(Error::Refused(_))));
    assert!(matches!(post("mailto:a@b.c", Trust::Configured).await, Err(Error::Refused(_))));
}
