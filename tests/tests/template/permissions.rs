//! Who may do what: the roles of the stack, and those that deploy it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cloudformation::{actions, statements};
use crate::{bootstrap, channels, resources};

#[test]
fn webhook_may_write_one_queue_and_read_its_own_secrets() {
    let resources = resources();
    for channel in channels() {
        let role = &resources[&format!("Role{channel}")]["Properties"];
        assert!(role.get("ManagedPolicyArns").is_none(), "{channel}");
        let own = format!(
            "arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter/${{AWS::StackName}}/{channel}"
        );
        let expected = [
            json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}),
            json!({"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": [{"Fn::Sub": own}, {"Fn::Sub": format!("{own}/*")}]}),
            json!({"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": {"Fn::GetAtt": [format!("Log{channel}"), "Arn"]}}),
            crate::outbox::statement(&channel),
        ];
        assert_eq!(role["Policies"].as_array().unwrap().len(), 1, "{channel}");
        assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], json!(expected), "{channel}");
        assert_eq!(
            resources[&format!("Webhook{channel}")]["Properties"]["Role"],
            json!({"Fn::GetAtt": [format!("Role{channel}"), "Arn"]})
        );
    }
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
