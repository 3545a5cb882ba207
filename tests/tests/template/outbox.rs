//! The one exception: the function of `web` reads its own outbox in the table, and nothing else of it.

use serde_json::{Value, json};

use crate::cloudformation::{actions, of_type, statements};
use crate::{channels, resources};

/// What a webhook function's role says of the table.
pub fn statement(channel: &str) -> Value {
    json!({
        "Effect": if channel == "web" { "Allow" } else { "Deny" },
        "Action": "dynamodb:Query",
        "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
        "Condition": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["WEB#*"]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    })
}

/// Everything that roles other than the invoker's may do with the table beyond reading `WEB#…`.
fn beyond(resources: &Value) -> Vec<String> {
    let is_table =
        |statement: &Value| actions(statement).iter().any(|action| action.starts_with("dynamodb:"));
    let webhooks =
        statements(resources).filter(|(name, statement)| *name != "InvokerRole" && is_table(statement));
    let is_the_outbox = |name: &str, allowed: &Value| name == "Roleweb" && *allowed == statement("web");
    webhooks
        .filter(|(name, allowed)| !is_the_outbox(name, allowed))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[test]
fn only_web_reads_the_table_and_only_its_outbox() {
    assert_eq!(beyond(&resources()), Vec::<String>::new());
}

/// A rule that nothing breaks shows nothing: each of these changes to the template must be seen.
#[test]
fn a_role_that_reads_more_is_seen() {
    let check = |role: &str, change: &dyn Fn(&mut Value)| {
        let mut resources = resources();
        change(&mut resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][3]);
        assert_eq!(beyond(&resources), [role], "{role}");
    };
    check("Roleweb", &|allowed| drop(allowed.as_object_mut().unwrap().remove("Condition")));
    check("Roleweb", &|allowed| drop(allowed["Condition"].as_object_mut().unwrap().remove("Null")));
    check("Roleweb", &|allowed| {
        allowed["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = json!(["*"]);
    });
    check("Roleweb", &|allowed| allowed["Action"] = json!(["dynamodb:Query", "dynamodb:Scan"]));
    check("Roleweb", &|allowed| allowed["Action"] = json!("dynamodb:PutItem"));
    check("Roletelegram", &|allowed| allowed["Effect"] = json!("Allow"));
}

#[test]
fn web_streams_and_holds_as_long_as_a_turn_and_no_other_does() {
    let resources = resources();
    for channel in channels() {
        let url = &resources[&format!("Url{channel}")]["Properties"]["InvokeMode"];
        let time_out = &resources[&format!("Webhook{channel}")]["Properties"]["Timeout"];
        if channel == "web" {
            assert_eq!(url, "RESPONSE_STREAM");
            let table: Value = crate::template()["Mappings"]["Hold"]["web"].clone();
            assert_eq!(table, json!({"120": 120, "300": 300, "600": 600}));
            let held = json!({"Fn::FindInMap": ["Hold", "web", {"Ref": "TurnSeconds"}, {"DefaultValue": 5}]});
            assert_eq!(*time_out, held);
        } else {
            assert_eq!((url, time_out), (&json!("BUFFERED"), &json!(5)), "{channel}");
        }
    }
    assert_eq!(of_type(&resources, "AWS::Lambda::Url").len(), channels().len());
}
