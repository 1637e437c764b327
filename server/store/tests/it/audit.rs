//! The journal: append-only, in one tree, whoever writes and however many sequence it.

use time::Duration;
use trinhky_domain::audit::{By, Checkpoint, Entry, Event};
use trinhky_store::Store;

use crate::on_both;
use crate::world::{NOW, World, is_conflict};

on_both!(the_journal_cannot_be_rewritten, the_tree_only_grows, two_sequencers_place_each_entry_once);

async fn record(store: &Store, n: i64) {
    let mut tx = store.begin().await.expect("begins");
    let entry = Entry::new(Event::SignedIn, By::process("serve"), NOW + Duration::seconds(n)).with("n", n);
    tx.record(&entry).await.expect("recorded");
    tx.commit().await.expect("commits");
}

async fn the_journal_cannot_be_rewritten(world: World) {
    record(&world.store, 1).await;
    let mut tx = world.begin().await;
    assert!(!tx.journal_is_sequenced().await.expect("reads"));
    assert_eq!(tx.sequence_journal(10).await.expect("sequenced"), 1);
    assert!(tx.journal_is_sequenced().await.expect("reads"));
    tx.commit().await.expect("commits");
    for cut in [
        "update journal set event = 'x'",
        "delete from journal_leaves",
        "delete from journal",
        "update journal_leaves set leaf = 7",
        "update journal_nodes set hash = 'x'",
        "delete from journal_nodes",
    ] {
        let refused = world.raw(cut).await.expect_err(cut).to_string();
        assert!(refused.contains("append-only"), "{cut}: {refused}");
    }
}

async fn the_tree_only_grows(world: World) {
    let mut roots = Vec::new();
    for n in 1..=9 {
        record(&world.store, n).await;
        let mut tx = world.begin().await;
        assert_eq!(tx.sequence_journal(10).await.expect("sequenced"), 1);
        roots.push(tx.tree().await.expect("a tree"));
        tx.commit().await.expect("commits");
    }
    let mut tx = world.begin().await;
    let line = tx.journal_line(0).await.expect("there");
    for tree in &roots {
        let proof = tx.prove(0, tree.size).await.expect("a proof");
        assert!(proof.proves(&line.bytes, tree.root), "the first entry is in every later tree");
    }
    assert!(tx.prove(9, 9).await.is_err(), "no proof of what is not there");
    assert_eq!(tx.checkpoint().await.expect("reads"), None);
    let tree = roots[8];
    let checkpoint = Checkpoint { origin: "test".into(), size: tree.size, root: tree.root };
    tx.keep_checkpoint(tree.size, &checkpoint.text(), NOW).await.expect("kept");
    assert_eq!(tx.checkpoint().await.expect("reads"), Some((9, checkpoint.text())));
}

async fn two_sequencers_place_each_entry_once(world: World) {
    for n in 0..30 {
        record(&world.store, n).await;
    }
    let sequencers = (0..2).map(|_| {
        let store = world.store.clone();
        tokio::spawn(async move {
            for _ in 0..200 {
                let mut tx = store.begin().await.expect("begins");
                let placed = tx.sequence_journal(4).await;
                if is_conflict(&placed) {
                    continue;
                }
                if placed.expect("sequenced") == 0 {
                    break;
                }
                tx.commit().await.expect("commits");
            }
        })
    });
    for sequencer in sequencers.collect::<Vec<_>>() {
        sequencer.await.expect("runs");
    }
    assert_eq!(world.read().await.check_journal().await.expect("no gap"), 30);
}
