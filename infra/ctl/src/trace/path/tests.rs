use serde_json::json;

use super::*;

fn done(id: &str, receives: u32, second: u32, more: Value) -> Value {
    let mut line = json!({
        "timestamp": format!("2026-11-21T06:55:{second:02}.000000Z"), "message": "done", "id": id, "channel": "slack",
        "account": "main", "conversation": "c", "trace": "r-1", "receives": receives, "outcome": "Acknowledged",
        "read_units": 2.0, "write_units": 10.5, "queue_requests": 3, "Spend": 0.00002,
    });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

fn at(second: i64) -> i64 {
    1_795_244_100_000 + second * 1_000
}

#[test]
fn a_path_is_told_in_order_whoever_answered() {
    let lines = [
        done(
            "D0:1",
            1,
            1,
            json!({"outcome": "Returned(25)", "queued_at": at(0) + 20, "started_at": at(0) + 70, "kept_at": at(0) + 80}),
        ),
        json!({"timestamp": "2026-11-21T06:55:01.500000Z", "message": "a service did not do its part", "id": "D0:1",
            "channel": "slack", "trouble": "the table is busy"}),
        done(
            "D0:2",
            1,
            9,
            json!({"turns": [{"number": 4, "messages": ["D0:1", "D0:2"], "model": "m", "input": 30,
            "output": 4, "parts": 2, "asked_at": at(7), "answered_at": at(8), "committed_at": at(8) + 10, "posted_at": at(9)}]}),
        ),
        done("D0:1", 2, 26, json!({"queued_at": at(0) + 20, "started_at": at(26)})),
        json!({"timestamp": "2026-11-21T06:55:00.011000Z", "message": "request", "id": "D0:0,D0:1", "channel": "slack",
            "account": "main", "conversation": "c,c", "status": 200, "ms": 10, "request_id": "r-1"}),
    ];
    let path = Path::of("1", &lines).unwrap().to_string();
    let expected = "\
message D0:1 on slack, account main, 2026-11-21 06:55 UTC
conversation c, trace r-1
  received  06:55:00.000                answered 200 in 10 ms, request r-1
  queued    06:55:00.020       +20 ms
  taken up  06:55:00.070       +50 ms
  kept      06:55:00.080       +10 ms
  put back  06:55:01.000      +920 ms   to be looked at again in 25 s
  trouble   06:55:01.500      +500 ms   a service did not do its part: the table is busy
  asked     06:55:07.000     +5500 ms   2 messages at once
  answered  06:55:08.000     +1000 ms   by m, 30 tokens in, 4 out
  stored    06:55:08.010       +10 ms   turn 4
  posted    06:55:09.000      +990 ms   2 parts
  taken up  06:55:26.000    +17000 ms   given out for the 2. time
  total     9000 ms
  used      4 read units, 21 write units, 11 queue requests
  cost      $0.000041, the model not included
";
    assert_eq!(path, expected, "{path}");
}

#[test]
fn refused_messages_say_so_and_others_are_not_taken_for_it() {
    let lines = [done("11", 1, 1, json!({"fate": "drop"}))];
    assert!(Path::of("1", &lines).is_none());
    let path = Path::of("11", &lines).unwrap().to_string();
    assert!(path.contains("refused") && path.contains("not answered so far"), "{path}");
}

#[test]
fn ids_are_told_apart() {
    for (id, wanted, expected) in [
        ("m1", "m1", true),
        ("m1~1795244100000", "m1", true),
        ("D0:m1", "m1", true),
        ("D0m1", "m1", false),
        ("m1~x", "m1", false),
    ] {
        assert_eq!(is(id, wanted), expected, "{id} {wanted}");
    }
}

#[test]
fn an_invocation_that_was_killed_is_missed() {
    let path = Path::of("1", &[done("1", 2, 1, json!({"queued_at": at(0), "started_at": at(1)}))]);
    let path = path.unwrap().to_string();
    assert!(path.contains("queued") && path.contains("given out for the 2. time"), "{path}");
    assert!(path.contains(", nor 1 of 2 invocations, which left no line"), "{path}");
}
