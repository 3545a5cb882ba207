use super::*;

fn loaded(yaml: &str) -> Loaded {
    ctl::config::parse(yaml, "test").unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn check(yaml: &str, expected: Option<&str>) {
    let accounts = [("telegram".to_owned(), "main".to_owned())].into();
    let refused = may_open(&loaded(yaml), &accounts).err().map(|error| error.to_string());
    match expected {
        None => assert_eq!(refused, None, "{yaml}"),
        Some(why) => assert!(refused.as_ref().is_some_and(|text| text.contains(why)), "{yaml}: {refused:?}"),
    }
}

#[test]
fn what_is_open_to_all_needs_caps() {
    let open = Some("everybody could write to telegram");
    check("version: 1\n", open);
    check("version: 1\nchannels: {telegram: {access: open}}\nlimits: {per_person: 5, per_stack: 50}\n", None);
    check("version: 1\nlimits: {per_person: 5}\n", open);
    check("version: 1\nlimits: {per_person: 5, per_stack: 9}\n", None);
    check("version: 1\nchannels: {telegram: {access: pairing}}\n", None);
    check("version: 1\nchannels: {telegram: {access: owner}, slack: {}}\n", None);
    let nothing = may_open(&loaded("version: 1\n"), &BTreeSet::new()).unwrap_err().to_string();
    assert!(nothing.contains("no account of this run"), "{nothing}");
}
