//! Email: plain resources in place of a public address, all of them only where a domain is named.

use serde_json::json;

use crate::cloudformation::{actions, of_type, statements};
use crate::{resources, template};

#[test]
fn nothing_of_mail_is_there_without_a_domain() {
    let template = template();
    assert_eq!(template["Parameters"]["EmailDomain"]["Default"], "");
    assert_eq!(
        template["Conditions"]["Mailed"],
        json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "EmailDomain"}, ""]}]})
    );
    let resources = resources();
    let of_mail = |name: &str| name.starts_with("Mail") || name == "InvokerMail";
    for (name, resource) in resources.as_object().unwrap() {
        let conditional = ["Mailed", "Received"].iter().any(|condition| resource["Condition"] == *condition);
        assert_eq!(conditional, of_mail(name), "{name}");
    }
    assert_eq!(template["Outputs"]["MailTopicArn"]["Condition"], "Mailed");
}

#[test]
fn only_ses_brings_mail_and_only_the_topic_invokes() {
    let resources = resources();
    let rule = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:receipt-rule-set/${AWS::StackName}:receipt-rule/${AWS::StackName}";
    let condition = json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}, "aws:SourceArn": {"Fn::Sub": rule}}});
    for (policy, action) in [("MailPolicy", "s3:PutObject"), ("MailTopicPolicy", "sns:Publish")] {
        let statements = resources[policy]["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
        let allowed: Vec<_> = statements.iter().filter(|statement| statement["Effect"] == "Allow").collect();
        assert_eq!(allowed.len(), 1, "{policy}");
        assert_eq!(allowed[0]["Principal"], json!({"Service": "ses.amazonaws.com"}), "{policy}");
        assert_eq!(
            (&allowed[0]["Action"], &allowed[0]["Condition"]),
            (&json!(action), &condition),
            "{policy}"
        );
    }
    let grants = of_type(&resources, "AWS::Lambda::Permission");
    let grants: Vec<_> = grants
        .iter()
        .map(|(_, grant)| &grant["Properties"])
        .filter(|grant| grant["FunctionName"] == json!({"Ref": "MailFunction"}))
        .collect();
    assert_eq!(grants.len(), 1, "no address, no other caller");
    assert_eq!(grants[0]["Principal"], "sns.amazonaws.com");
    assert_eq!(grants[0]["SourceArn"], json!({"Ref": "MailTopic"}));
    let urls = of_type(&resources, "AWS::Lambda::Url");
    assert!(
        urls.iter().all(|(_, url)| url["Properties"]["TargetFunctionArn"] != json!({"Ref": "MailFunction"}))
    );

    let told = &resources["MailFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(told["TOPIC_ARN"], json!({"Ref": "MailTopic"}));
    let name = &resources["MailTopicName"]["Properties"];
    assert_eq!(name["Value"], json!({"Ref": "MailTopic"}));
    assert_eq!(name["Name"], json!({"Fn::Sub": "/${AWS::StackName}/email/main/topic_arn"}));
}

#[test]
fn the_bucket_is_closed_and_forgets() {
    let resources = resources();
    let bucket = &resources["Mail"];
    assert_eq!(
        (&bucket["DeletionPolicy"], &bucket["UpdateReplacePolicy"]),
        (&json!("Retain"), &json!("Retain"))
    );
    let closed = bucket["Properties"]["PublicAccessBlockConfiguration"].as_object().unwrap();
    assert!(closed.len() == 4 && closed.values().all(|closed| closed == true));
    assert_eq!(bucket["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"], 30);
    let action = &resources["MailRule"]["Properties"]["Rule"]["Actions"];
    let expected = json!([{"S3Action": {"BucketName": {"Ref": "Mail"}, "ObjectKeyPrefix": "in/", "TopicArn": {"Ref": "MailTopic"}}}]);
    assert_eq!(*action, expected);
}

#[test]
fn mail_may_do_what_mail_needs() {
    let resources = resources();
    let may = |of: &str| -> Vec<String> {
        statements(&resources).filter(|(name, _)| *name == of).flat_map(|(_, s)| actions(s)).collect()
    };
    let function =
        ["sqs:SendMessage", "ssm:GetParametersByPath", "logs:CreateLogStream", "logs:PutLogEvents"];
    assert_eq!(may("MailRole"), function);
    assert_eq!(may("InvokerMail"), ["s3:GetObject", "ses:SendEmail", "ses:SendRawEmail"]);
    for (of, filter) in [("Failures", "MailFailures"), ("Rejects", "MailRejects")] {
        let fed = &resources[filter]["Properties"]["MetricTransformations"][0];
        assert_eq!(fed["MetricName"], of);
        assert_eq!(resources[filter]["Properties"]["LogGroupName"], json!({"Ref": "MailLog"}));
    }
}
