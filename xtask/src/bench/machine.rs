//! The size of the machine that a figure was measured on.

/// Processors, their model and the memory, in a line.
pub(super) fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let first = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        value.map(|value| value.trim_matches([' ', '\t', ':']).to_owned())
    };
    let model = first("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let kilobytes = first("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let gigabytes = kilobytes.map_or_else(|| "?".to_owned(), |kilobytes| (kilobytes >> 20).to_string());
    format!("{processors} processors ({model}), {gigabytes} GiB of memory")
}
