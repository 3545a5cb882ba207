"""OpenAI's own client against the assistant: python client.py <address of the channel web> <key> <address of the stand-in>"""

import json
import sys
import urllib.request

import openai


def tell(platform, path, what):
    request = urllib.request.Request(f"{platform}/{path}", json.dumps(what).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).close()


def refused(kind, ask):
    try:
        ask()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def main(address, key, platform):
    client = openai.OpenAI(base_url=f"{address}main/v1", api_key=key, max_retries=0, timeout=120)
    assert [model.id for model in client.models.list()] == ["crabhook"]

    def ask(*messages, **more):
        return client.chat.completions.create(model="crabhook", messages=list(messages), **more)

    whole = ask({"role": "user", "content": "hello"})
    assert whole.choices[0].message.content == "You said: hello", whole
    assert (whole.choices[0].finish_reason, whole.object, whole.model) == ("stop", "chat.completion", "crabhook")

    text = "It has **marks**.\n\n- one\n- two"
    tell(platform, "model/answers", {"answers": [text]})
    pieces = list(ask({"role": "user", "content": "stream it"}, stream=True))
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    assert said == text, said
    assert pieces[-1].choices[0].finish_reason == "stop"

    history = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "I am Ana."}, {"role": "assistant", "content": "Hello."}]
    before = ask(*history, {"role": "user", "content": "Who am I?"}, user="u-7")
    assert "I am Ana." in before.choices[0].message.content, "what was said before goes along"
    again = ask({"role": "user", "content": "Who am I?"}, user="u-7")
    assert "Ana" not in again.choices[0].message.content, "every request is a conversation of its own"

    tell(platform, "model/answers", {"answers": ["word " * 20_000]})
    long = ask({"role": "user", "content": "at length"}).choices[0].message.content
    assert long.split() == ["word"] * 20_000, len(long.split())

    error = refused(openai.BadRequestError, lambda: ask({"role": "system", "content": "nobody asks"}))
    assert "role user" in error.message, error.message
    other = openai.OpenAI(base_url=f"{address}main/v1", api_key="sk-other", max_retries=0)
    error = refused(openai.AuthenticationError, other.models.list)
    assert error.code == "invalid_api_key", error
    refused(openai.AuthenticationError, lambda: other.chat.completions.create(model="m", messages=history))


if __name__ == "__main__":
    main(*sys.argv[1:])
