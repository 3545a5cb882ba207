//! Questions with pictures, asked of models that take none.

use std::time::{Duration, Instant};

use super::server::{Reply, Server};
use super::{LIMITS, Paper, clients, config, openai, question};
use crate::chat::{Chat, Provider};
use crate::{Answer, Ask, Chain, Cooldowns, Error, Image, Model};

fn with_picture() -> Ask {
    let mut ask = question();
    let newest = ask.messages.last_mut().unwrap();
    newest.images.push(Image { media_type: "image/png".into(), bytes: b"\x89PNG".to_vec() });
    ask
}

fn chain(servers: &[&Server]) -> Chain {
    let model = |(number, server): (usize, &&Server)| {
        let config = config("openai", "m", &server.url);
        let chat = Chat::new(Provider::Compatible, config, &clients(), LIMITS).unwrap();
        (number.to_string(), Box::new(chat) as Box<dyn Model>)
    };
    Chain::new(servers.iter().enumerate().map(model).collect(), Cooldowns::default(), 8)
}

async fn ask(chain: &Chain, ask: &Ask) -> Result<Answer, Error> {
    chain.ask(ask, Instant::now() + Duration::from_secs(3), &mut Paper::default()).await
}

/// As DeepSeek says it.
fn blind() -> Reply {
    let why = "unknown variant `image_url`, expected `text`";
    Reply::json(422, &[], &format!(r#"{{"error":{{"message":"{why}","type":"invalid_request_error"}}}}"#))
}

fn shown(server: &Server) -> Vec<(bool, bool)> {
    let requests = server.requests();
    requests.iter().map(|asked| (asked.contains("image_url"), asked.contains("you cannot see"))).collect()
}

#[tokio::test]
async fn a_model_that_sees_is_asked_in_place_of_one_that_does_not() {
    let first = Server::start(vec![blind(), openai::answer()]).await;
    let second = Server::start(vec![openai::answer(), openai::answer()]).await;
    let chain = chain(&[&first, &second]);
    let answer = ask(&chain, &with_picture()).await.unwrap();
    assert_eq!((answer.entry.as_str(), answer.calls_made), ("1", 2));
    assert_eq!(chain.cooled(), []);
    // In the next round of the same answer it is not asked in vain; without pictures it comes first again.
    assert_eq!(ask(&chain, &with_picture()).await.unwrap().entry, "1");
    assert_eq!(ask(&chain, &question()).await.unwrap().entry, "0");
    assert_eq!(shown(&first), [(true, false), (false, false)]);
    assert_eq!(shown(&second), [(true, false), (true, false)]);
}

#[tokio::test]
async fn where_no_model_sees_the_first_answers_without() {
    let server = Server::start(vec![blind(), openai::answer(), openai::answer()]).await;
    let chain = chain(&[&server]);
    assert_eq!(ask(&chain, &with_picture()).await.unwrap().calls_made, 2);
    assert_eq!(ask(&chain, &with_picture()).await.unwrap().calls_made, 1);
    assert_eq!(shown(&server), [(true, false), (false, true), (false, true)]);
}

#[tokio::test]
async fn what_is_not_for_its_pictures_is_said_after_one_more_try() {
    let server = Server::start(vec![blind(), blind()]).await;
    let result = ask(&chain(&[&server]), &with_picture()).await;
    assert!(matches!(result, Err(Error::Unfit(_))), "{result:?}");
    assert_eq!(shown(&server), [(true, false), (false, true)]);
}
