//! Staged transactions over HTTP.

use super::*;

const CURRENT: &str = "instruments.psu.set.ch1.current_limit";

fn post(client: &Client, path: &str, body: Value) -> Told {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send("POST", path, &[("x-setpoint-author", "Ada")], &body)
}

fn begin(client: &Client) -> String {
    let begun = post(client, "/v1/transactions", json!({ "message": "why" }));
    assert_eq!(begun.status, 201, "{}", begun.text());
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(begun.header("location"), format!("/v1/transactions/{id}"));
    id
}

#[test]
fn one_is_begun_filled_checked_and_committed() {
    with_server(|client, bench| {
        client.until("/v1/instruments/psu", |told| told.json()["state"] == "connected");
        let (id, other) = (begin(&client), begin(&client));
        let at = |call: &str| format!("/v1/transactions/{id}/{call}");
        let edits = json!({ "edits": [
            { "path": VOLTAGE, "value": 3.45 }, { "path": CURRENT, "value": 0.5 },
            { "path": "sources.dark", "remove": true },
        ] });
        let staged = post(&client, &at("edits"), edits);
        assert_eq!(staged.status, 200, "{}", staged.text());
        let staged = staged.json();
        assert_eq!((&staged["ok"], &staged["author"]), (&json!(true), &json!("Ada")));
        assert_eq!(staged["edits"].as_array().unwrap().len(), 3);
        assert_eq!(client.get(&format!("/v1/transactions/{id}")).json(), staged);
        let unstaged = post(&client, &at("edits"), json!({ "unstage": ["sources.dark"] })).json();
        assert_eq!(unstaged["edits"].as_array().unwrap().len(), 2);
        let found = post(&client, &at("validate"), Value::Null).json();
        assert_eq!((&found["ok"], &found["blocked_by"]), (&json!(true), &json!([])));
        assert_eq!(found["changes"].as_array().unwrap().len(), 2);
        assert!(!found["plan"].as_array().unwrap().is_empty());
        assert_eq!(fs::read_to_string(&bench).unwrap(), BENCH, "nothing is in effect yet");
        assert_eq!(client.get("/v1/status").json()["transactions"].as_array().unwrap().len(), 2);

        let done = post(&client, &at("commit"), json!({}));
        assert_eq!(done.status, 200, "{}", done.text());
        let revision = &done.json()["revision"];
        assert_eq!((&revision["author"], &revision["message"]), (&json!("Ada"), &json!("why")));
        assert_eq!(done.header("etag"), format!("\"{}\"", revision["id"].as_str().unwrap()));
        client.get(&format!("/v1/transactions/{id}")).problem(404);
        let path = format!("/v1/transactions/{other}");
        assert_eq!(client.send("DELETE", &path, &[], "").status, 200);
        client.send("DELETE", &path, &[], "").problem(404);
        assert_eq!(client.get("/v1/transactions").json(), json!([]));
    });
}

#[test]
fn a_commit_that_is_refused_says_what_validate_says_and_changes_nothing() {
    with_server(|client, bench| {
        client.until("/v1/instruments/psu", |told| told.json()["state"] == "connected");
        let id = begin(&client);
        let at = |call: &str| format!("/v1/transactions/{id}/{call}");
        let empty = post(&client, &at("commit"), Value::Null).problem(409);
        assert_eq!(empty["blocked_by"][0]["kind"], "empty");

        post(&client, &at("edits"), json!({ "edits": [{ "path": VOLTAGE, "value": 52.0 }] }));
        let wrong = post(&client, &at("commit"), Value::Null).problem(422);
        assert_eq!((&wrong["ok"], &wrong["status"]), (&json!(false), &json!(422)));
        assert_eq!(wrong["diagnostics"][0]["code"], "out_of_range");
        assert_eq!(wrong["changes"][0]["path"], VOLTAGE);
        assert!(wrong["plan"].is_array() && wrong["blocked_by"].is_array(), "{wrong}");

        post(&client, &at("edits"), json!({ "edits": [{ "path": VOLTAGE, "value": 3.45 }] }));
        assert_eq!(client.patch(json!([{ "path": VOLTAGE, "value": 3.2 }])).status, 200);
        let clash = post(&client, &at("commit"), Value::Null).problem(409);
        assert_eq!(clash["blocked_by"][0]["kind"], "clash");
        assert_eq!(clash["blocked_by"][0]["path"], VOLTAGE);
        assert!(fs::read_to_string(&bench).unwrap().contains("ch1.voltage = 3.2"));
        let decision = json!({ "path": VOLTAGE, "keep": "mine" });
        let decided = post(&client, &at("resolve"), decision).json();
        assert_eq!(decided["ok"], true, "{decided}");
        assert_eq!(post(&client, &at("commit"), Value::Null).status, 200);
        assert!(fs::read_to_string(&bench).unwrap().contains("ch1.voltage = 3.45"));
    });
}

#[test]
fn an_expired_one_is_a_draft_until_it_is_taken_up() {
    with_server(|client, _| {
        let id = begin(&client);
        let at = |call: &str| format!("/v1/transactions/{id}/{call}");
        post(&client, &at("edits"), json!({ "edits": [{ "path": "bench.name", "value": "x" }] }));
        let short = json!([{ "path": "runtime.transaction_timeout", "value": "1s" }]);
        assert_eq!(client.patch(short).status, 200);
        let draft =
            client.until(&format!("/v1/transactions/{id}"), |told| told.json()["draft"] == true);
        assert_eq!(draft.json()["expires"], Value::Null);
        let refused = post(&client, &at("commit"), Value::Null).problem(409);
        assert!(refused["detail"].as_str().unwrap().contains("take it up"), "{refused}");
        assert_eq!(refused["blocked_by"][0]["kind"], "draft");
        let long = json!([{ "path": "runtime.transaction_timeout", "value": "1h" }]);
        assert_eq!(client.patch(long).status, 200);
        let taken = post(&client, &at("take-up"), Value::Null);
        assert_eq!((taken.status, &taken.json()["draft"]), (200, &json!(false)));
        assert_eq!(post(&client, &at("commit"), Value::Null).status, 200);
    });
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    with_server(|client, _| {
        let id = begin(&client);
        for (call, body, expected) in [
            ("edits", json!({}), "edits is empty"),
            ("edits", json!({ "edits": [{ "path": "a", "rename": "b" }] }), "edits[0].rename"),
            ("edits", json!({ "unstage": [1] }), "unstage[0] is a number"),
            ("edits", json!({ "edits": [], "unstage": ["a"] }), "edits and unstage"),
            ("resolve", json!({ "path": "a", "keep": "both" }), "keep is “both”"),
            ("commit", json!({ "confirm_s": 3 }), "confirm_s is not a key"),
        ] {
            let path = format!("/v1/transactions/{id}/{call}");
            let detail = post(&client, &path, body).problem(400)["detail"].clone();
            assert!(detail.as_str().unwrap().starts_with(expected), "{detail}");
        }
        let nothing = json!({ "path": VOLTAGE, "keep": "mine" });
        post(&client, &format!("/v1/transactions/{id}/resolve"), nothing).problem(404);
        post(&client, "/v1/transactions/t999/validate", Value::Null).problem(404);
        post(&client, &format!("/v1/transactions/{id}/confirm"), Value::Null).problem(404);
    });
}
