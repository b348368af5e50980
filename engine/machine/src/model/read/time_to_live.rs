//! `camunda:historyTimeToLive`: days as a number, or as an ISO 8601 period of days.

/// Days; none where nothing is said.
///
/// # Errors
/// It is neither.
pub(crate) fn parse(text: Option<&str>) -> Result<Option<i32>, String> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let days = match text.strip_prefix('P') {
        Some(period) => period.strip_suffix('D'),
        None => Some(text),
    };
    match days.and_then(|days| days.parse::<i32>().ok()) {
        Some(days) if days >= 0 => Ok(Some(days)),
        Some(_) => Err(format!("Cannot parse historyTimeToLive: '{text}' is negative")),
        None => Err(format!(
            "Cannot parse historyTimeToLive: '{text}' is neither a number of days nor PnD"
        )),
    }
}
