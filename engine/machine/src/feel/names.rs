//! Names with spaces in them: those of functions and properties. Variables with spaces need back quotes.

/// Functions whose names hold a keyword, so that words alone do not find them.
pub(super) const WITH_KEYWORDS: [&str; 5] = ["date and time", "years and months duration", "get or else", "and", "or"];

/// Properties of two words.
pub(super) const PROPERTIES: [&str; 3] = ["time offset", "start included", "end included"];

/// Words that are no names.
pub(super) const KEYWORDS: [&str; 18] = [
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "and",
    "or",
    "between",
    "instance",
    "of",
    "function",
    "true",
    "false",
    "null",
];

/// The names of a function's parameters, for calls by name: one list for each number of them.
pub(super) fn parameters(function: &str) -> &'static [&'static [&'static str]] {
    match function {
        "date" | "date and time" | "time" | "string" | "duration" => &[
            &["from"],
            &["date", "time"],
            &["year", "month", "day"],
            &["hour", "minute", "second"],
            &["hour", "minute", "second", "offset"],
        ],
        "number" => &[
            &["from"],
            &["from", "grouping separator"],
            &["from", "grouping separator", "decimal separator"],
        ],
        "years and months duration" => &[&["from", "to"]],
        "not" => &[&["negand"]],
        "get or else" => &[&["value", "default"]],
        "substring" => &[&["string", "start position"], &["string", "start position", "length"]],
        "string length" | "upper case" | "lower case" | "trim" | "is blank" => &[&["string"]],
        "substring before" | "substring after" | "contains" | "starts with" | "ends with" => &[&["string", "match"]],
        "replace" => &[
            &["input", "pattern", "replacement"],
            &["input", "pattern", "replacement", "flags"],
        ],
        "matches" => &[&["input", "pattern"], &["input", "pattern", "flags"]],
        "split" => &[&["string", "delimiter"]],
        "extract" => &[&["string", "pattern"]],
        "list contains" => &[&["list", "element"]],
        "count" | "min" | "max" | "sum" | "product" | "mean" | "median" | "stddev" | "mode" | "all" | "any" | "and"
        | "or" | "reverse" | "distinct values" | "duplicate values" | "flatten" | "is empty" => &[&["list"]],
        "sublist" => &[&["list", "start position"], &["list", "start position", "length"]],
        "insert before" => &[&["list", "position", "newItem"]],
        "remove" => &[&["list", "position"]],
        "index of" => &[&["list", "match"]],
        "sort" => &[&["list", "precedes"]],
        "string join" => &[
            &["list"],
            &["list", "delimiter"],
            &["list", "delimiter", "prefix", "suffix"],
        ],
        "partition" => &[&["list", "size"]],
        "decimal" | "round up" | "round down" | "round half up" | "round half down" => &[&["n", "scale"]],
        "floor" | "ceiling" => &[&["n"], &["n", "scale"]],
        "abs" => &[&["n"]],
        "modulo" => &[&["dividend", "divisor"]],
        "sqrt" | "log" | "exp" | "odd" | "even" => &[&["number"]],
        "get entries" => &[&["context"]],
        "get value" => &[&["context", "key"]],
        "context put" => &[&["context", "key", "value"]],
        "context merge" => &[&["contexts"]],
        "context" => &[&["entries"]],
        "day of week" | "day of year" | "week of year" | "month of year" | "last day of month" => &[&["date"]],
        _ => &[],
    }
}
