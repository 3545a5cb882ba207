//! The rules that `infra/*.yaml` must keep, read from the files themselves with every allowed channel opened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a template that is not as expected should end the test right there"
)]

#[path = "template/alarms.rs"]
mod alarms;
#[path = "template/cloudformation.rs"]
mod cloudformation;
#[path = "template/mail.rs"]
mod mail;
#[path = "template/outbox.rs"]
mod outbox;
#[path = "template/permissions.rs"]
mod permissions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cloudformation::{expand, load, of_type};
use serde_json::{Value, json};

/// Folders in `functions/` that are no channels with a public address.
const NOT_OPENED: [&str; 3] = ["admin", "email", "model-invoker"];

#[test]
fn allowed_channels_are_the_rooms() {
    let rooms: BTreeSet<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !NOT_OPENED.contains(&name.as_str()))
        .collect();
    let allowed: BTreeSet<String> = channels().into_iter().collect();
    assert_eq!(
        allowed, rooms,
        "AllowedPattern of Channels in infra/template.yaml (left) names every channel in functions/ (right)"
    );
}

#[test]
fn nobody_opens_a_channel_by_accident() {
    let channels = &template()["Parameters"]["Channels"];
    assert_eq!(channels["Type"], "CommaDelimitedList");
    assert!(
        channels.get("Default").is_none(),
        "every name is a public address: Channels must have no default"
    );
}

#[test]
fn queue_hides_a_message_six_times_as_long_as_a_turn_may_take() {
    let template = template();
    let seconds = template["Parameters"]["TurnSeconds"]["AllowedValues"].as_array().unwrap();
    assert_eq!(template["Parameters"]["TurnSeconds"]["Default"], 300);
    for turn in seconds {
        let hidden = &template["Mappings"]["Visibility"][turn.to_string()]["Seconds"];
        assert_eq!(hidden.as_i64(), turn.as_i64().map(|s| 6 * s), "Visibility of TurnSeconds {turn}");
    }
    let resources = resources();
    assert_eq!(resources["Invoker"]["Properties"]["Timeout"], json!({"Ref": "TurnSeconds"}));
    let visibility = json!({"Fn::FindInMap": ["Visibility", {"Ref": "TurnSeconds"}, "Seconds"]});
    assert_eq!(resources["Queue"]["Properties"]["VisibilityTimeout"], visibility);
}

#[test]
fn failed_messages_end_in_the_dead_letter_queue() {
    let resources = resources();
    let queue = &resources["Queue"]["Properties"];
    assert_eq!(
        queue["RedrivePolicy"],
        json!({"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 10})
    );
    let days =
        |name: &str| resources[name]["Properties"]["MessageRetentionPeriod"].as_i64().unwrap() / 86_400;
    assert_eq!((days("Queue"), days("DeadLetters")), (4, 14));
    for queue in ["Queue", "DeadLetters"] {
        assert_eq!(resources[queue]["Properties"]["SqsManagedSseEnabled"], true, "{queue} is encrypted");
        assert!(resources[queue]["Properties"].get("FifoQueue").is_none(), "{queue} is a standard queue");
    }
}

#[test]
fn invoker_takes_one_message_at_a_time_and_reports_it_alone() {
    let template = template();
    let source = &resources()["InvokerSource"]["Properties"];
    assert_eq!(source["BatchSize"], 1);
    assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(source["EventSourceArn"], json!({"Fn::GetAtt": ["Queue", "Arn"]}));

    let limit = json!({"Fn::FindInMap": ["Concurrency", {"Ref": "MaximumConcurrency"}, "Turns"]});
    assert_eq!(source["ScalingConfig"]["MaximumConcurrency"], limit);
    let parameter = &template["Parameters"]["MaximumConcurrency"];
    assert_eq!(parameter["Default"], 5, "half of the 10 that a new account may run");
    for turns in parameter["AllowedValues"].as_array().unwrap() {
        assert_eq!(&template["Mappings"]["Concurrency"][turns.to_string()]["Turns"], turns);
    }
}

#[test]
fn table_outlives_its_stack_and_forgets_on_time() {
    let table = &resources()["Table"];
    assert_eq!(
        (&table["DeletionPolicy"], &table["UpdateReplacePolicy"]),
        (&json!("Retain"), &json!("Retain"))
    );
    let properties = &table["Properties"];
    assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(properties["TimeToLiveSpecification"], json!({"AttributeName": "ttl", "Enabled": true}));
    let keys =
        json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]);
    assert_eq!(properties["KeySchema"], keys);
}

#[test]
fn every_function_is_built_limited_and_logged_alike() {
    let resources = resources();
    let functions = of_type(&resources, "AWS::Lambda::Function");
    assert_eq!(functions.len(), channels().len() + 2, "one per channel, email and the model-invoker");
    for (name, function) in functions {
        let properties = &function["Properties"];
        assert_eq!(properties["RecursiveLoop"], "Terminate", "{name}");
        assert_eq!(properties["Runtime"], "provided.al2023", "{name}");
        assert_eq!(properties["Architectures"], json!([{"Ref": "Architecture"}]), "{name}");

        let suffix = properties["FunctionName"]["Fn::Sub"]
            .as_str()
            .unwrap()
            .strip_prefix("${AWS::StackName}-")
            .unwrap();
        assert_eq!(
            properties["Code"]["S3Key"],
            json!({"Fn::Sub": format!("${{Release}}/{suffix}.zip")}),
            "{name}"
        );
        assert_eq!(properties["LoggingConfig"]["LogFormat"], "JSON", "{name}");
        let log = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        let log = &resources[log]["Properties"];
        assert_eq!(
            log["LogGroupName"],
            json!({"Fn::Sub": format!("/aws/lambda/${{AWS::StackName}}-{suffix}")}),
            "{name}"
        );
        assert_eq!(log["RetentionInDays"], json!({"Ref": "LogDays"}), "{name}");
    }
}

#[test]
fn functions_are_told_what_they_read_from_their_environment() {
    let resources = resources();
    let told = |name: &str| -> BTreeSet<String> {
        let variables = resources[name]["Properties"]["Environment"]["Variables"].as_object().unwrap();
        variables.keys().cloned().collect()
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    for channel in channels() {
        let webhook = ["BUCKET", "CHANNEL", "QUEUE_URL", "RELEASE", "SECRETS", "TABLE"];
        assert_eq!(told(&format!("Webhook{channel}")), names(&webhook));
        let variables = &resources[&format!("Webhook{channel}")]["Properties"]["Environment"]["Variables"];
        assert_eq!(variables["CHANNEL"], channel.as_str());
        assert_eq!(variables["SECRETS"], json!({"Fn::Sub": format!("/${{AWS::StackName}}/{channel}")}));
    }
    let invoker = [
        "BUCKET",
        "DEAD_LETTER_URL",
        "QUEUE_ARN",
        "QUEUE_URL",
        "RELEASE",
        "SCHEDULE_GROUP",
        "SCHEDULE_ROLE",
        "SECRETS",
        "STACK",
        "TABLE",
        "TURN_SECONDS",
    ];
    assert_eq!(told("Invoker"), names(&invoker));
}

#[test]
fn every_address_has_both_grants() {
    let resources = resources();
    for channel in channels() {
        let function = json!({"Ref": format!("Webhook{channel}")});
        let url = &resources[&format!("Url{channel}")]["Properties"];
        assert_eq!((&url["AuthType"], &url["TargetFunctionArn"]), (&json!("NONE"), &function));

        let granted: Vec<&Value> = of_type(&resources, "AWS::Lambda::Permission")
            .into_iter()
            .map(|(_, permission)| &permission["Properties"])
            .filter(|grant| grant["FunctionName"] == function && grant["Principal"] == "*")
            .collect();
        assert_eq!(granted.len(), 2, "{channel}");
        let by_url = |grant: &Value| {
            grant["Action"] == "lambda:InvokeFunctionUrl" && grant["FunctionUrlAuthType"] == "NONE"
        };
        let by_invoke = |grant: &Value| {
            grant["Action"] == "lambda:InvokeFunction" && grant["InvokedViaFunctionUrl"] == true
        };
        assert!(
            granted.iter().any(|grant| by_url(grant)) && granted.iter().any(|grant| by_invoke(grant)),
            "{channel}"
        );
        let output = &template()["Outputs"][&format!("UrlOf{channel}")]["Value"];
        assert_eq!(*output, json!({"Fn::GetAtt": [format!("Url{channel}"), "FunctionUrl"]}));
    }
}

#[test]
fn buckets_are_kept_and_closed() {
    for (resources, name) in [(bootstrap(), "Artifacts"), (resources(), "Media")] {
        let bucket = &resources[name];
        let kept = json!("Retain");
        assert_eq!((&bucket["DeletionPolicy"], &bucket["UpdateReplacePolicy"]), (&kept, &kept), "{name}");
        let closed = bucket["Properties"]["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(closed.len() == 4 && closed.values().all(|closed| closed == true), "{name}");
        let policy = &resources[format!("{name}Policy")]["Properties"];
        assert_eq!(policy["Bucket"], json!({"Ref": name}));
        let tls = &policy["PolicyDocument"]["Statement"][0];
        let without = json!({"Bool": {"aws:SecureTransport": "false"}});
        assert_eq!((&tls["Effect"], &tls["Condition"]), (&json!("Deny"), &without), "{name}");
    }
}

#[test]
fn old_zips_and_sent_files_are_forgotten_and_knowledge_is_not() {
    let zips = &bootstrap()["Artifacts"]["Properties"];
    assert_eq!(zips["VersioningConfiguration"]["Status"], "Enabled");
    assert_eq!(zips["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"], 90);
    let files = resources()["Media"]["Properties"]["LifecycleConfiguration"]["Rules"].take();
    let expiring: Vec<&Value> =
        files.as_array().unwrap().iter().filter(|rule| rule.get("ExpirationInDays").is_some()).collect();
    assert_eq!(expiring.len(), 1);
    assert_eq!((&expiring[0]["Prefix"], &expiring[0]["Status"]), (&json!("media/"), &json!("Enabled")));
    assert_eq!(expiring[0]["ExpirationInDays"], json!({"Ref": "MediaDays"}));
}

#[test]
fn cfn_lint_has_nothing_to_say() {
    let lint = std::env::var_os("CFN_LINT").map_or_else(|| root().join(".venv/bin/cfn-lint"), PathBuf::from);
    let output = Command::new(&lint)
        .args(["template.yaml", "bootstrap.yaml"].map(|file| root().join("infra").join(file)))
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "{} does not run ({error}): `make test` installs it, or set CFN_LINT to where it is",
                lint.display()
            )
        });
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Names that the parameter Channels takes, read from its pattern.
fn channels() -> Vec<String> {
    let raw = load(&root().join("infra/template.yaml"));
    let pattern = raw["Parameters"]["Channels"]["AllowedPattern"].as_str().unwrap();
    let names =
        pattern.strip_prefix("^(").and_then(|p| p.strip_suffix(")$")).expect("AllowedPattern is ^(a|b)$");
    names.split('|').map(str::to_owned).collect()
}

/// The stack's template with every channel opened.
fn template() -> Value {
    expand(load(&root().join("infra/template.yaml")), &channels())
}

fn resources() -> Value {
    template()["Resources"].take()
}

fn bootstrap() -> Value {
    load(&root().join("infra/bootstrap.yaml"))["Resources"].take()
}
