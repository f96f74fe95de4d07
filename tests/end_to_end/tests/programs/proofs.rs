//! Soundness: proofs that are changed, moved, missing or too many are rejected, and the part is named.

use std::fs;
use std::path::Path;

use crate::fixture::{PROOFS, PROVED, rejected, run, verify};

/// Changes a file.
fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("read");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

#[test]
fn soundness_a_flipped_byte_is_rejected_in_its_part() {
    let folder = PROVED.copy();
    for (i, (name, part)) in PROOFS.into_iter().enumerate() {
        let path = folder.path().join("out").join(name);
        let whole = fs::read(&path).expect("read");
        // Another place in every part: header, commitments, messages, opening, end.
        let last = whole.len() - 1;
        let at = [5, 70, last, last / 2, 40, last - 200, last / 3][i];
        edit(&path, |bytes| bytes[at] ^= 1);
        rejected(folder.path(), part);
        fs::write(&path, whole).expect("written");
    }
    verify(folder.path()).exits(0);
}

#[test]
fn soundness_another_length_is_rejected() {
    let folder = PROVED.copy();
    for (name, part) in [PROOFS[0], PROOFS[2], PROOFS[4]] {
        let path = folder.path().join("out").join(name);
        let whole = fs::read(&path).expect("read");
        for length in [0, 3, whole.len() / 2, whole.len() - 1] {
            edit(&path, |bytes| bytes.truncate(length));
            assert_eq!(rejected(folder.path(), part), "encoding");
            fs::write(&path, &whole).expect("written");
        }
        edit(&path, |bytes| bytes.push(0));
        assert_eq!(rejected(folder.path(), part), "encoding");
        fs::write(&path, whole).expect("written");
    }
}

#[test]
fn soundness_swapped_proofs_are_rejected() {
    // At the same position of an epoch, and at different ones; data; and of another kind.
    for (a, b, part) in
        [(3, 5, "segment 0"), (4, 6, "segment 1"), (3, 4, "segment 0"), (1, 2, "data position 0"), (0, 1, "parameters")]
    {
        let folder = PROVED.copy();
        let [a, b] = [a, b].map(|i: usize| folder.path().join("out").join(PROOFS[i].0));
        let (from_a, from_b) = (fs::read(&a).expect("read"), fs::read(&b).expect("read"));
        fs::write(&a, from_b).expect("written");
        fs::write(&b, from_a).expect("written");
        rejected(folder.path(), part);
    }
}

#[test]
fn soundness_a_repeated_segment_is_rejected() {
    let folder = PROVED.copy();
    let out = folder.path().join("out");
    // The third segment trains on the same data as the first.
    fs::copy(out.join("segment-0000.proof"), out.join("segment-0002.proof")).expect("copied");
    rejected(folder.path(), "segment 2");
}

#[test]
fn soundness_every_proof_is_needed() {
    let folder = PROVED.copy();
    for (name, part) in PROOFS {
        let path = folder.path().join("out").join(name);
        let whole = fs::read(&path).expect("read");
        fs::remove_file(&path).expect("removed");
        assert_eq!(rejected(folder.path(), part), "missing");
        fs::write(&path, whole).expect("written");
    }
}

#[test]
fn soundness_a_proof_too_many_is_rejected() {
    let named = [
        ("segment-0004.proof", "segment 4"),
        ("data-0002.proof", "data position 2"),
        ("segment-3.proof", "segment-3.proof"),
        ("other.proof", "other.proof"),
    ];
    for (name, part) in named {
        let folder = PROVED.copy();
        let out = folder.path().join("out");
        fs::copy(out.join("segment-0003.proof"), out.join(name)).expect("copied");
        assert_eq!(rejected(folder.path(), part), "missing");
    }
}

#[test]
fn soundness_a_name_cannot_forge_the_verdict() {
    let folder = PROVED.copy();
    fs::write(folder.path().join("out/x\u{1b}[2K\raccepted: 10 steps\n.proof"), []).expect("written");
    let ran = run(folder.path(), "verifier verify --statement posted/statement.json --proofs out").exits(1);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(!ran.stdout.trim_end().contains(char::is_control), "{:?}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn soundness_only_files_are_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    // A folder, a socket and a link that leads nowhere, under the names of proofs; and a name that is not Unicode.
    type Place = fn(&Path);
    let placed: [Place; 3] = [
        |path| fs::create_dir(path).expect("made"),
        |path| drop(std::os::unix::net::UnixListener::bind(path).expect("bound")),
        |path| std::os::unix::fs::symlink("nowhere", path).expect("linked"),
    ];
    for place in placed {
        let folder = PROVED.copy();
        let path = folder.path().join("out/segment-0003.proof");
        fs::remove_file(&path).expect("removed");
        place(&path);
        assert_eq!(rejected(folder.path(), "segment-0003.proof"), "missing");
    }
    let folder = PROVED.copy();
    fs::write(folder.path().join("out").join(OsStr::from_bytes(b"\xff.proof")), []).expect("written");
    assert_eq!(rejected(folder.path(), "\u{fffd}.proof"), "missing");
}

#[test]
fn soundness_proofs_of_another_job_are_rejected() {
    let folder = PROVED.copy();
    let job = fs::read_to_string(folder.path().join("job.toml")).expect("read");
    fs::write(folder.path().join("other.toml"), job.replace("seed = 7", "seed = 8")).expect("written");
    run(folder.path(), "provider prove --job other.toml --out other").exits(0);
    // One proof of the other job, then all of them.
    let (out, other) = (folder.path().join("out"), folder.path().join("other"));
    fs::copy(other.join("segment-0001.proof"), out.join("segment-0001.proof")).expect("copied");
    rejected(folder.path(), "segment 1");
    fs::copy(other.join("segment-0000.proof"), out.join("segment-0000.proof")).expect("copied");
    rejected(folder.path(), "segment 0");
    run(folder.path(), "verifier verify --statement posted/statement.json --proofs other").exits(1);
    run(folder.path(), "verifier verify --statement other/statement.json --proofs out").exits(1);
    // The same job once more, under another number: it is worth nothing for the first.
    run(folder.path(), "provider prove --job job.toml --out again").exits(0);
    run(folder.path(), "verifier verify --statement posted/statement.json --proofs again").exits(1);
}
