//! Processes that see other files than everybody else: in a mount namespace of their own.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::scene::Ground;

/// Whether this machine lets its users mount something for themselves. Where it does not, that is said, except in
/// continuous integration, which has to let them.
pub(crate) fn is_possible() -> bool {
    let tried = Command::new("unshare")
        .args(["-rm", "mount", "--bind", "/tmp", "/mnt"])
        .output();
    let reason = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    assert!(std::env::var_os("CI").is_none(), "unshare -rm: {reason}");
    eprintln!("skipped: this machine lets nobody mount something in a namespace of their own: {reason}");
    false
}

/// A program that is the host's, run where each first path lies over the second one.
pub(crate) fn over(ground: &Ground, mounts: &[(PathBuf, PathBuf)]) -> PathBuf {
    let mounts: Vec<_> = mounts
        .iter()
        .map(|(what, over)| format!("mount --bind '{}' '{}'", what.display(), over.display()))
        .collect();
    let text = format!(
        "#!/bin/sh\nexec unshare -rm sh -c \"{} && exec '{}' \\\"\\$@\\\"\" host \"$@\"\n",
        mounts.join(" && "),
        ground.places.program.display()
    );
    let script = ground.places.dir.join("in-a-namespace");
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// Lays one path over another in the namespace of a process.
pub(crate) fn mount(process: u32, what: &Path, over: &Path) {
    let output = Command::new("nsenter")
        .args([
            "--preserve-credentials",
            "-U",
            "-m",
            "-t",
            &process.to_string(),
            "mount",
            "--bind",
        ])
        .args([what, over])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
