//! What belongs to one worker at a time: a topic of an engine, a delegate.

use crate::version::WorkerVersion;

/// The first topic or delegate that two workers claim, for a person.
pub(super) fn shared(one: &WorkerVersion, other: &WorkerVersion) -> Option<String> {
    let (one, other) = (one.manifest(), other.manifest());
    for topic in &one.topics {
        let engine = one.engine_of(topic);
        if other
            .topics
            .iter()
            .any(|t| t.name == topic.name && other.engine_of(t) == engine)
        {
            return Some(format!(
                "topic `{}` of engine `{}`",
                topic.name,
                engine.unwrap_or_default()
            ));
        }
    }
    let delegate = one
        .delegates
        .iter()
        .find(|delegate| other.delegates.contains(delegate))?;
    Some(format!("delegate `{delegate}`"))
}

/// Why a worker is refused whose claim is `holder`'s.
pub(super) fn refusal(claim: &str, holder: &str) -> String {
    format!("{claim} is worker `{holder}`'s already; remove it from one of the two manifests")
}
