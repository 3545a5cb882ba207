//! Who may do what: the roles of the stack, and those that deploy it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cloudformation::{actions, statements};
use crate::{bootstrap, channels, resources, template};

#[test]
fn webhook_may_write_one_queue_and_read_its_own_secrets() {
    let resources = resources();
    for channel in channels() {
        let role = &resources[&format!("Role{channel}")]["Properties"];
        assert!(role.get("ManagedPolicyArns").is_none(), "{channel}");
        let own = format!(
            "arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/${{AWS::StackName}}/{channel}"
        );
        let [outbox, files] = crate::outbox::statements_of(&channel);
        let expected = [
            json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}),
            json!({"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": [{"Fn::Sub": own}, {"Fn::Sub": format!("{own}/*")}]}),
            json!({"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": {"Fn::GetAtt": [format!("Log{channel}"), "Arn"]}}),
            outbox,
            files,
        ];
        assert_eq!(role["Policies"].as_array().unwrap().len(), 1, "{channel}");
        assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], json!(expected), "{channel}");
        assert_eq!(
            resources[&format!("Webhook{channel}")]["Properties"]["Role"],
            json!({"Fn::GetAtt": [format!("Role{channel}"), "Arn"]})
        );
    }
}

/// What the invoker may do beside queue, table, secrets, models and log, word for word.
#[test]
fn invoker_reaches_its_files_its_reminders_and_named_tools_only() {
    let resources = resources();
    let stated: Vec<&Value> = statements(&resources)
        .filter(|(name, statement)| {
            let others = |action: &String| {
                !["sqs", "dynamodb", "ssm", "bedrock", "logs"]
                    .iter()
                    .any(|service| action.starts_with(service))
            };
            *name == "InvokerRole" && actions(statement).iter().any(others)
        })
        .map(|(_, statement)| statement)
        .collect();
    let schedules =
        "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${Reminders}/*";
    let expected = [
        json!({"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": {"Fn::Sub": "${Media.Arn}/media/*"}}),
        json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Sub": "${Media.Arn}/knowledge/*"}}),
        json!({"Effect": "Allow", "Action": ["scheduler:CreateSchedule", "scheduler:DeleteSchedule"], "Resource": {"Fn::Sub": schedules}}),
        json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": {"Fn::GetAtt": ["ReminderRole", "Arn"]},
            "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}}),
        json!({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Ref": "ToolFunctions"}}),
    ];
    assert_eq!(stated, expected.iter().collect::<Vec<_>>());
    let all = resources["InvokerRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        .as_array()
        .unwrap();
    let tools: Vec<&Value> = all.iter().filter_map(|statement| statement.get("Fn::If")).collect();
    assert_eq!(tools.len(), 1, "only the tools depend on a condition");
    assert_eq!((&tools[0][0], &tools[0][2]), (&json!("Tooled"), &json!({"Ref": "AWS::NoValue"})));
    assert_eq!(
        template()["Parameters"]["ToolFunctions"]["Default"],
        "",
        "no function is a tool unless it is named"
    );
}

#[test]
fn a_reminder_may_write_to_the_queue_and_nobody_else_may_take_its_role() {
    let resources = resources();
    let role = &resources["ReminderRole"]["Properties"];
    let send = json!([{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}]);
    assert_eq!(role["Policies"].as_array().unwrap().len(), 1);
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], send);
    let own = json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}, "aws:SourceArn": {"Fn::GetAtt": ["Reminders", "Arn"]}}});
    let trust = json!([{"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": own}]);
    assert_eq!(role["AssumeRolePolicyDocument"]["Statement"], trust);
}

#[test]
fn no_action_is_allowed_by_wildcard() {
    for (file, resources) in [("template.yaml", resources()), ("bootstrap.yaml", bootstrap())] {
        for (name, statement) in statements(&resources) {
            for action in actions(statement) {
                assert!(!action.contains('*'), "{file}: {name} allows {action}; name each action");
            }
        }
    }
    for (name, statement) in statements(&resources()) {
        assert_ne!(statement["Resource"], "*", "{name} allows its actions on everything");
    }
}

#[test]
fn whoever_deploys_makes_neither_functions_nor_roles() {
    let resources = bootstrap();
    let deployer: BTreeSet<String> = statements(&resources)
        .filter(|(name, _)| *name == "Deployer")
        .flat_map(|(_, s)| actions(s))
        .collect();
    for forbidden in [
        "lambda:CreateFunction",
        "lambda:UpdateFunctionConfiguration",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "lambda:AddPermission",
    ] {
        assert!(!deployer.contains(forbidden), "the deployer may {forbidden}");
    }
    assert!(
        deployer.contains("lambda:UpdateFunctionCode")
            && deployer.contains("cloudformation:ExecuteChangeSet")
    );

    let bounded = json!({"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}});
    for (name, statement) in statements(&resources) {
        for action in actions(statement)
            .iter()
            .filter(|a| ["iam:CreateRole", "iam:PutRolePolicy"].contains(&a.as_str()))
        {
            assert_eq!(statement["Condition"], bounded, "{name} may {action} without the boundary");
        }
    }
}

#[test]
fn boundary_lets_through_what_the_functions_need() {
    let within: BTreeSet<String> = statements(&bootstrap())
        .filter(|(name, _)| *name == "Boundary")
        .flat_map(|(_, s)| actions(s))
        .collect();
    for (name, statement) in statements(&resources()) {
        for action in actions(statement) {
            assert!(
                within.contains(&action),
                "{name} allows {action}, which Boundary in infra/bootstrap.yaml cuts off"
            );
        }
    }
}
