//! The two exceptions: the function of `web` reads its own outbox in the table, and may let its visitors put files into the bucket
//! below `media/web/`. Nothing else of either, and no other function.

use serde_json::{Value, json};

use crate::cloudformation::{actions, of_type, statements};
use crate::{channels, resources};

/// What a webhook function's role says of table and bucket.
pub fn statements_of(channel: &str) -> [Value; 2] {
    let effect = if channel == "web" { "Allow" } else { "Deny" };
    let outbox = json!({
        "Effect": effect,
        "Action": "dynamodb:Query",
        "Resource": {"Fn::GetAtt": ["Table", "Arn"]},
        "Condition": {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["WEB#*"]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        },
    });
    let files = json!({"Effect": effect, "Action": "s3:PutObject", "Resource": {"Fn::Sub": "${Media.Arn}/media/web/*"}});
    [outbox, files]
}

/// Everything that roles other than the invoker's may do with table and bucket beyond these two.
fn beyond(resources: &Value) -> Vec<String> {
    let is_ours = |statement: &Value| {
        actions(statement).iter().any(|action| action.starts_with("dynamodb:") || action.starts_with("s3:"))
    };
    let others = |name: &str| !["InvokerRole", "InvokerMail"].contains(&name);
    let webhooks = statements(resources).filter(|(name, statement)| others(name) && is_ours(statement));
    let is_named = |name: &str, allowed: &Value| name == "Roleweb" && statements_of("web").contains(allowed);
    webhooks.filter(|(name, allowed)| !is_named(name, allowed)).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn only_web_reads_its_outbox_and_takes_files_and_no_more() {
    assert_eq!(beyond(&resources()), Vec::<String>::new());
}

/// A rule that nothing breaks shows nothing: each of these changes to the template must be seen.
#[test]
fn a_role_that_may_more_is_seen() {
    const OUTBOX: usize = 3;
    const FILES: usize = 4;
    let check = |role: &str, at: usize, change: &dyn Fn(&mut Value)| {
        let mut resources = resources();
        change(&mut resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][at]);
        assert_eq!(beyond(&resources), [role], "{role}");
    };
    check("Roleweb", OUTBOX, &|allowed| drop(allowed.as_object_mut().unwrap().remove("Condition")));
    check("Roleweb", OUTBOX, &|allowed| drop(allowed["Condition"].as_object_mut().unwrap().remove("Null")));
    check("Roleweb", OUTBOX, &|allowed| {
        allowed["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = json!(["*"]);
    });
    check("Roleweb", OUTBOX, &|allowed| allowed["Action"] = json!(["dynamodb:Query", "dynamodb:Scan"]));
    check("Roleweb", OUTBOX, &|allowed| allowed["Action"] = json!("dynamodb:PutItem"));
    check("Roletelegram", OUTBOX, &|allowed| allowed["Effect"] = json!("Allow"));
    check("Roleweb", FILES, &|allowed| allowed["Action"] = json!("s3:GetObject"));
    check("Roleweb", FILES, &|allowed| allowed["Action"] = json!(["s3:PutObject", "s3:DeleteObject"]));
    for place in
        ["${Media.Arn}/*", "${Media.Arn}/media/*", "${Media.Arn}/knowledge/*", "${Media.Arn}/media/web*"]
    {
        check("Roleweb", FILES, &|allowed| allowed["Resource"] = json!({"Fn::Sub": place}));
    }
    check("Roletelegram", FILES, &|allowed| allowed["Effect"] = json!("Allow"));
}

/// What is wrong with how the bucket is opened to browsers: they may put what is signed, and read nothing.
fn too_open(resources: &Value) -> bool {
    let rules = &resources["Media"]["Properties"]["CorsConfiguration"]["CorsRules"];
    let meant = json!([{"AllowedOrigins": ["*"], "AllowedMethods": ["PUT"], "AllowedHeaders": ["content-type"], "MaxAge": 3000}]);
    let policy = &resources["MediaPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let gives = policy.as_array().is_none_or(|all| all.iter().any(|one| one["Effect"] != "Deny"));
    *rules != meant || gives
}

#[test]
fn browsers_may_put_signed_files_and_read_none() {
    assert!(!too_open(&resources()));
    let check = |change: &dyn Fn(&mut Value)| {
        let mut resources = resources();
        change(&mut resources);
        assert!(too_open(&resources));
    };
    let rule = |all: &mut Value, name: &str, value: Value| {
        all["Media"]["Properties"]["CorsConfiguration"]["CorsRules"][0][name] = value;
    };
    check(&|all| rule(all, "AllowedMethods", json!(["PUT", "GET"])));
    check(&|all| rule(all, "AllowedHeaders", json!(["*"])));
    check(&|all| rule(all, "ExposedHeaders", json!(["etag"])));
    check(&|all| {
        all["MediaPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Effect"] = json!("Allow");
    });
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
