//! Keys of a running bench, renamed, moved and removed.

use setpoint_tests::{
    Server,
    program::{ends, json},
};

#[test]
fn keys_of_a_running_bench_are_renamed_moved_and_removed() {
    let (bench, server) = Server::demo();
    let before = bench.text();
    let renamed = json(&bench, "set", &["--rename", "sources.ball=sphere", "-m", "a better name"]);
    assert_eq!(renamed["revision"]["message"], "a better name", "{renamed:#}");
    assert_eq!(bench.text(), before.replace("[sources.ball]", "[sources.sphere]"));
    server.api.until_live("sphere");
    assert_eq!(server.api.send("GET", "/v1/sources/ball", &[], None).status, 404);

    json(&bench, "set", &["sources.sphere.label=S"]);
    json(&bench, "set", &["--move", "sources.sphere.label=sources.pattern.label"]);
    let text = bench.text();
    let pattern = text.find("[sources.pattern]").expect("pattern");
    let sphere = text.find("[sources.sphere]").expect("sphere");
    let label = text.find("label = \"S\"").expect("the label");
    assert!(pattern < label && label < sphere, "{text}");

    let removed = json(&bench, "set", &["--remove", "sources.sphere"]);
    assert_eq!(removed["changes"][0]["kind"], "removed", "{removed:#}");
    assert!(!bench.text().contains("sphere"), "{}", bench.text());
    let text = bench.text();
    let nobody = ends(&bench, "set", &["--rename", "sources.nobody=x"], 1);
    assert!(nobody.stderr.contains("sources.nobody"), "{nobody:?}");
    let taken = ends(&bench, "set", &["--rename", "instruments.psu=thermo"], 1);
    assert!(taken.stderr.contains("thermo"), "{taken:?}");
    assert_eq!(bench.text(), text);
}
