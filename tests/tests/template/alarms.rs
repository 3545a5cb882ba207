//! What goes wrong is seen by somebody, who finds written down what to do.

use std::collections::BTreeSet;

use model_invoker::metrics;
use serde_json::{Value, json};

use crate::cloudformation::of_type;
use crate::{channels, resources, root};

/// What every account has free: https://aws.amazon.com/cloudwatch/pricing/
const FREE: usize = 10;

/// An alarm's metric, as namespace and name.
fn watched(alarm: &Value) -> (String, String) {
    let properties = &alarm["Properties"];
    let namespace = &properties["Namespace"];
    let namespace = namespace["Fn::Sub"].as_str().or(namespace.as_str()).unwrap();
    (namespace.to_owned(), properties["MetricName"].as_str().unwrap().to_owned())
}

#[test]
fn whatever_goes_wrong_raises_one_alarm() {
    let resources = resources();
    let alarms = of_type(&resources, "AWS::CloudWatch::Alarm");
    let expected = [
        ("AWS/Lambda", "Errors"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("crabhook/${AWS::StackName}", "ConfigurationUnreadable"),
        ("crabhook/${AWS::StackName}", "Failures"),
        ("crabhook/${AWS::StackName}", "Rejects"),
        ("crabhook/${AWS::StackName}", "Spend"),
    ];
    let expected = expected.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
    let all: BTreeSet<_> = alarms.iter().map(|(_, alarm)| watched(alarm)).collect();
    assert_eq!(all, BTreeSet::from(expected));
    assert!(alarms.len() <= FREE, "{} alarms: beyond {FREE} each is billed", alarms.len());

    let any = &resources["AnyAlarm"];
    let rule = any["Properties"]["AlarmRule"]["Fn::Sub"].as_str().unwrap();
    let dashboard = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    for (name, alarm) in alarms {
        assert!(rule.contains(&format!("ALARM(\"${{{name}}}\")")), "AnyAlarm does not name {name}");
        assert!(dashboard.contains(&format!("${{{name}.Arn}}")), "the dashboard does not show {name}");
        assert_eq!(alarm["Properties"]["TreatMissingData"], "notBreaching", "{name}: silence is no fault");
    }
    assert_eq!(any["Properties"]["AlarmActions"], json!([{"Ref": "Alerts"}]));
    assert_eq!(
        (&any["Condition"], &resources["Alerts"]["Condition"]),
        (&json!("Alerted"), &json!("Alerted"))
    );
}

#[test]
fn the_alarm_of_the_day_goes_off_where_the_operator_says() {
    let alarm = &resources()["SpendAlarm"]["Properties"];
    assert_eq!((&alarm["Statistic"], &alarm["Period"]), (&json!("Sum"), &json!(86_400)));
    assert_eq!(alarm["Threshold"], json!({"Ref": "DailySpend"}));
}

/// A metric that nobody writes is an alarm that never goes off.
#[test]
fn every_metric_of_ours_is_written_by_somebody() {
    let resources = resources();
    let mut written: BTreeSet<String> = metrics::ALL.iter().map(|metric| metric.name().to_owned()).collect();
    for channel in channels() {
        for metric in ["Failures", "Rejects"] {
            let filter = &resources[&format!("{metric}{channel}")]["Properties"];
            assert_eq!(filter["LogGroupName"], json!({"Ref": format!("Log{channel}")}));
            let fed = &filter["MetricTransformations"][0];
            assert_eq!(
                (&fed["MetricNamespace"], &fed["MetricName"]),
                (&json!({"Fn::Sub": "crabhook/${AWS::StackName}"}), &json!(metric)),
                "all channels feed one metric"
            );
            written.insert(metric.to_owned());
        }
    }
    assert!(written.len() <= FREE, "{} metrics of our own: beyond {FREE} each is billed", written.len());
    let alarms = of_type(&resources, "AWS::CloudWatch::Alarm");
    let ours = alarms
        .iter()
        .map(|(_, alarm)| watched(alarm))
        .filter(|(namespace, _)| !namespace.starts_with("AWS/"));
    for (_, name) in ours {
        assert!(written.contains(&name), "nobody writes the metric {name}");
    }
    let dashboard = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    for name in written {
        let shown = format!("[\"crabhook/${{AWS::StackName}}\", \"{name}\"");
        assert!(dashboard.contains(&shown), "the dashboard does not show {name}");
    }
}

/// The invoker's line says its metrics itself; it names the namespace by its environment.
#[test]
fn the_invoker_writes_into_the_stacks_namespace() {
    let variables = &resources()["Invoker"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["STACK"], json!({"Ref": "AWS::StackName"}));
    let fields = metrics::Metrics::of_stack("prod").fields(&[(metrics::Metric::Spend, 1.0)], 0);
    assert_eq!(fields["_aws"]["CloudWatchMetrics"][0]["Namespace"], "crabhook/prod");
}

#[test]
fn every_alarm_has_a_runbook_and_every_runbook_an_alarm() {
    let resources = resources();
    let composite = of_type(&resources, "AWS::CloudWatch::CompositeAlarm");
    let alarms = of_type(&resources, "AWS::CloudWatch::Alarm").into_iter().chain(composite);
    let mut named = BTreeSet::new();
    for (name, alarm) in alarms {
        let description = &alarm["Properties"]["AlarmDescription"];
        let description = description["Fn::Sub"].as_str().or(description.as_str()).unwrap();
        let path = description.rsplit_once(". See ").map(|(_, path)| path);
        let path = path
            .unwrap_or_else(|| panic!("{name}: its description ends with `. See docs/runbooks/<page>.md`"));
        let file = path.strip_prefix("docs/runbooks/").unwrap_or_else(|| panic!("{name}: {path}"));
        let text =
            std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        if file != "README.md" {
            assert!(text.starts_with(&format!("# {name}: ")), "{path} begins with the name of {name}");
            for part in ["\n## What it means\n", "\n## How to see it\n", "\n## What to do\n"] {
                assert!(text.contains(part), "{path} lacks {part:?}");
            }
        }
        assert!(named.insert(file.to_owned()), "{path} is the page of two alarms");
    }
    let pages = std::fs::read_dir(root().join("docs/runbooks")).unwrap();
    let pages: BTreeSet<String> =
        pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(named, pages, "pages that alarms name (left), pages that there are (right)");
    let index = std::fs::read_to_string(root().join("docs/runbooks/README.md")).unwrap();
    for page in pages.iter().filter(|page| *page != "README.md") {
        assert!(index.contains(&format!("({page})")), "docs/runbooks/README.md does not list {page}");
    }
}
