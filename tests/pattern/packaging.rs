//! What is in `packaging/` fits what it packages: files parse, options exist, the containers' promises are kept.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use handoff_host::Config;
use yaml_rust2::{Yaml, YamlLoader};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

fn handoff(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_handoff"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A command line of which everything exists: its subcommands and its options.
fn assert_is_spoken<'a>(arguments: impl IntoIterator<Item = &'a str>) {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let subcommand = ["host", "engine"]
        .into_iter()
        .find(|name| arguments.contains(name))
        .unwrap();
    let help = handoff(&[subcommand, "--help"]);
    for option in arguments.iter().filter(|argument| argument.starts_with("--")) {
        assert!(help.contains(option), "handoff {subcommand} has no {option}");
    }
}

fn assert_configuration(text: &str, name: &str) -> Config {
    let config = Config::parse(text, Path::new("/etc/handoff/handoff.toml")).unwrap_or_else(|e| panic!("{name}: {e}"));
    let cache = config.workers.cache_dir.clone().unwrap();
    assert!(
        cache.starts_with("/var/cache/handoff/"),
        "{name}: a folder that the host makes for itself, not a volume"
    );
    config
}

fn texts(list: &Yaml) -> Vec<&str> {
    list.as_vec()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect()
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit = read("systemd/handoff-host.service");
    let value = |key: &str| {
        let mut lines = unit
            .lines()
            .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        lines.next().unwrap_or_else(|| panic!("no {key}")).to_owned()
    };
    assert_is_spoken(value("ExecStart").split(' ').skip(1));
    assert_eq!(
        (value("DynamicUser"), value("ProtectSystem")),
        ("yes".to_owned(), "strict".to_owned())
    );
    let stop: u64 = value("TimeoutStopSec").strip_suffix('s').unwrap().parse().unwrap();
    let default = handoff_host::config::LimitsConfig::default().shutdown();
    assert!(stop > default.as_secs(), "killed before the host's own deadline");
    // Workers are machine code that is mapped as such.
    assert!(
        !unit
            .lines()
            .any(|line| line.starts_with("MemoryDenyWriteExecute") || line.starts_with("LimitAS"))
    );

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("handoff-host.service");
    fs::write(
        &file,
        unit.replace("/usr/local/bin/handoff", env!("CARGO_BIN_EXE_handoff")),
    )
    .unwrap();
    match Command::new("systemd-analyze").arg("verify").arg(&file).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success() && !said.contains("handoff-host.service"),
                "{said}"
            );
        }
        Err(_) => eprintln!("systemd is not installed: the unit's keys were looked at, and not verified by it"),
    }
}

/// The instructions of a Dockerfile, with continued lines joined.
fn instructions(dockerfile: &str) -> Vec<(String, String)> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    joined
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(instruction, rest)| (instruction.to_owned(), rest.trim().to_owned()))
        .collect()
}

#[test]
fn the_image_runs_as_nobody_and_has_what_it_starts() {
    let instructions = instructions(&read("docker/Dockerfile"));
    let known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    ];
    let all = |name: &str| -> Vec<&str> {
        let of_name = instructions.iter().filter(|(instruction, _)| instruction == name);
        of_name.map(|(_, rest)| rest.as_str()).collect()
    };
    assert!(
        instructions.iter().all(|(name, _)| known.contains(&name.as_str())),
        "{instructions:?}"
    );
    for image in all("FROM") {
        let name = image.split(' ').next().unwrap();
        let tag = name.rsplit(':').next().unwrap();
        assert!(
            name.contains(':') && tag != "latest",
            "{image} is not pinned to a version"
        );
    }
    assert!(all("FROM").last().unwrap().contains("distroless"));
    let user: u32 = all("USER").last().unwrap().split(':').next().unwrap().parse().unwrap();
    assert_ne!(user, 0);
    // The form without a shell: there is none, and signals reach the host itself.
    let list = |text: &str| -> Vec<String> { serde_json::from_str(text).unwrap() };
    let (entry, command) = (list(all("ENTRYPOINT")[0]), list(all("CMD")[0]));
    assert_is_spoken(entry.iter().chain(&command).skip(1).map(String::as_str));
    let check = list(all("HEALTHCHECK")[0].split_once("CMD ").unwrap().1);
    assert!(handoff(&["host", "status", "--help"]).contains("--json"));
    assert_eq!(check[0], entry[0]);

    // Whatever cargo needs is let through to it.
    let ignore = read("docker/Dockerfile.dockerignore");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members = members
        .split('"')
        .filter(|part| part.starts_with(|c: char| c.is_ascii_lowercase()));
    for needed in members.chain(["Cargo.toml", "Cargo.lock", "src", "wit", "models"]) {
        let top = needed.split('/').next().unwrap();
        assert!(
            ignore.lines().any(|line| line == format!("!{top}")),
            "{needed} is kept out of the build"
        );
    }
}

#[test]
fn compose_starts_what_the_executable_speaks() {
    let compose = YamlLoader::load_from_str(&read("docker/compose.yaml")).unwrap();
    let services = &compose[0]["services"];
    for (name, service) in services.as_hash().unwrap() {
        let name = name.as_str().unwrap();
        assert_eq!(service["read_only"].as_bool(), Some(true), "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        for volume in texts(&service["volumes"])
            .into_iter()
            .filter(|volume| volume.starts_with("./"))
        {
            let file = volume[2..].split(':').next().unwrap();
            assert!(volume.ends_with(":ro"), "{volume}");
            assert!(file == "workers" || path("docker").join(file).is_file(), "{volume}");
        }
        for secret in texts(&service["secrets"]) {
            assert!(!compose[0]["secrets"][secret].is_badvalue(), "{secret}");
        }
    }
    assert_is_spoken(texts(&services["engine"]["command"]));
    let config = assert_configuration(&read("docker/handoff.toml"), "docker/handoff.toml");
    let grace: u64 = services["host"]["stop_grace_period"]
        .as_str()
        .unwrap()
        .strip_suffix('s')
        .unwrap()
        .parse()
        .unwrap();
    assert!(grace > config.limits.shutdown().as_secs());
}

#[test]
fn the_sidecar_is_locked_down_and_its_parts_fit_together() {
    let documents = YamlLoader::load_from_str(&read("kubernetes/sidecar.yaml")).unwrap();
    let kinds: Vec<_> = documents
        .iter()
        .map(|document| document["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["ConfigMap", "Deployment"]);
    let config = documents[0]["data"]["handoff.toml"].as_str().unwrap();
    let config = assert_configuration(config, "kubernetes/sidecar.yaml");
    let pod = &documents[1]["spec"]["template"]["spec"];
    let labels = |place: &Yaml| place["app"].as_str().map(str::to_owned);
    let selector = &documents[1]["spec"]["selector"]["matchLabels"];
    assert_eq!(
        labels(selector),
        labels(&documents[1]["spec"]["template"]["metadata"]["labels"])
    );

    let grace = pod["terminationGracePeriodSeconds"].as_i64().unwrap();
    assert!(grace > i64::try_from(config.limits.shutdown().as_secs()).unwrap());
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    let host = &pod["initContainers"][0];
    assert_eq!(
        host["restartPolicy"].as_str(),
        Some("Always"),
        "a sidecar, not a step before the start"
    );
    let context = &host["securityContext"];
    assert_eq!(context["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(context["allowPrivilegeEscalation"].as_bool(), Some(false));

    let volumes: Vec<_> = pod["volumes"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|volume| volume["name"].as_str())
        .collect();
    let mounts = host["volumeMounts"].as_vec().unwrap();
    assert!(mounts.iter().all(|mount| volumes.contains(&mount["name"].as_str())));
    let mounted = |file: &Path, writable: bool| {
        mounts.iter().any(|mount| {
            let read_only = mount["readOnly"].as_bool().unwrap_or(false);
            file.starts_with(mount["mountPath"].as_str().unwrap()) && read_only != writable
        })
    };
    assert!(mounted(&config.workers.dir, false) && mounted(&config.workers.cache_dir.unwrap(), true));
    let admin = config.admin.unwrap();
    assert!(mounted(&admin.token_file.unwrap(), false));
    let port = host["ports"][0]["containerPort"].as_i64().unwrap();
    assert_eq!(port, i64::from(admin.listen.port()));
    for probe in ["startupProbe", "livenessProbe"] {
        let get = &host[probe]["httpGet"];
        assert_eq!(
            (get["path"].as_str(), get["port"].as_str()),
            (Some("/healthz"), host["ports"][0]["name"].as_str())
        );
    }
}
