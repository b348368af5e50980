//! The attributes of `handoff-sdk`, re-exported by it; their documentation is there too.
//!
//! Each turns one function into one export of the component. A component's world is the union of what its crate
//! exports: `#[handler]` alone makes a `worker`, `#[delegate]` alone a `listener`, both a `worker-with-listener`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{FnArg, Ident, ItemFn, ReturnType, parse_macro_input};

/// Exports a function as the handler of the worker's external tasks.
///
/// The function takes a `Task` and returns anything that is `IntoOutcome`, mostly `handoff_sdk::Result<Completion>` or
/// `handoff_sdk::Result<Outcome>`. It is called once per instance of the component; tasks are delivered at least once.
#[proc_macro_attribute]
pub fn handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(arguments.into(), parse_macro_input!(item as ItemFn), &HANDLER).into()
}

/// Exports a function as the delegate that engines call: a listener or the behaviour of a service task.
///
/// The function takes an `Execution` and returns anything that is `IntoDelegation`, mostly
/// `handoff_sdk::Result<Delegation>`. One function serves all `delegates` of the manifest; `execution.name` tells them
/// apart.
#[proc_macro_attribute]
pub fn delegate(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(arguments.into(), parse_macro_input!(item as ItemFn), &DELEGATE).into()
}

/// One attribute: its name, what its function takes, and the names in `handoff_sdk::__private` that it expands to.
struct Attribute {
    name: &'static str,
    argument: &'static str,
    guest: &'static str,
    method: &'static str,
    call: &'static str,
    export: &'static str,
    bindings: &'static str,
}

const HANDLER: Attribute = Attribute {
    name: "handler",
    argument: "Task",
    guest: "HandlerGuest",
    method: "handle",
    call: "call_handler",
    export: "export_handler",
    bindings: "worker",
};

const DELEGATE: Attribute = Attribute {
    name: "delegate",
    argument: "Execution",
    guest: "DelegateGuest",
    method: "execute",
    call: "call_delegate",
    export: "export_delegate",
    bindings: "listener",
};

fn expand(arguments: Tokens, function: ItemFn, attribute: &Attribute) -> Tokens {
    if let Err(error) = check(&arguments, &function, attribute) {
        let error = error.to_compile_error();
        return quote!(#error #function);
    }
    let name = &function.sig.ident;
    let [guest, method, call, export, bindings] = [
        attribute.guest,
        attribute.method,
        attribute.call,
        attribute.export,
        attribute.bindings,
    ]
    .map(|name| Ident::new(name, proc_macro2::Span::call_site()));
    let (argument, answer) = if attribute.name == "handler" {
        (quote!(::handoff_sdk::Task), quote!(::handoff_sdk::Outcome))
    } else {
        (
            quote!(::handoff_sdk::Execution),
            quote!(::handoff_sdk::__private::DelegateAnswer),
        )
    };
    // Only components export; elsewhere the function is checked the same, so that a worker's crate can be tested on
    // the machine it is written on.
    quote! {
        #function

        #[allow(unsafe_code, reason = "generated: the canonical ABI's exports")]
        const _: () = {
            #[allow(dead_code, reason = "only components export it")]
            struct Export;
            impl ::handoff_sdk::__private::#guest for Export {
                fn #method(argument: #argument) -> #answer {
                    ::handoff_sdk::__private::#call(#name, argument)
                }
            }
            #[cfg(target_family = "wasm")]
            ::handoff_sdk::__private::#export!(Export with_types_in ::handoff_sdk::__private::#bindings);
            // Where nothing is exported, this is what uses the function.
            #[cfg(not(target_family = "wasm"))]
            const _: fn(#argument) -> #answer = <Export as ::handoff_sdk::__private::#guest>::#method;
        };
    }
}

/// Says in the author's words what the expansion would say in its own.
fn check(arguments: &Tokens, function: &ItemFn, attribute: &Attribute) -> syn::Result<()> {
    let Attribute { name, argument, .. } = attribute;
    let signature = &function.sig;
    if !arguments.is_empty() {
        return Err(syn::Error::new_spanned(
            arguments,
            format!(
                "`#[handoff_sdk::{name}]` takes no arguments: topics and delegates are named in the worker's manifest"
            ),
        ));
    }
    if let Some(token) = &signature.asyncness {
        return Err(syn::Error::new_spanned(
            token,
            "a worker's function is not `async`: its calls to the host return when they are done, and the host runs other tasks meanwhile",
        ));
    }
    if !signature.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &signature.generics,
            "a worker's function cannot be generic",
        ));
    }
    let mut inputs = signature.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (Some(FnArg::Typed(_)), None) => {}
        _ => {
            return Err(syn::Error::new_spanned(
                signature,
                format!("a `#[handoff_sdk::{name}]` function takes one argument, a `handoff_sdk::{argument}`"),
            ));
        }
    }
    if matches!(signature.output, ReturnType::Default) {
        return Err(syn::Error::new_spanned(
            signature,
            format!("a `#[handoff_sdk::{name}]` function says how it ended: let it return `handoff_sdk::Result<…>`"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the compiler says of a function with the attribute, if anything.
    fn refusal(arguments: &str, function: &str, attribute: &Attribute) -> Option<String> {
        let arguments: Tokens = arguments.parse().expect("tokens");
        let function: ItemFn = syn::parse_str(function).expect("a function");
        check(&arguments, &function, attribute)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_plain_function_is_taken() {
        let function = "fn handle(task: Task) -> Result<Completion> { work(task) }";
        assert_eq!(refusal("", function, &HANDLER), None);
        let expanded = expand(Tokens::new(), syn::parse_str(function).expect("a function"), &HANDLER).to_string();
        assert!(expanded.contains("export_handler"), "{expanded}");
        assert!(!expanded.contains("compile_error"), "{expanded}");
    }

    #[test]
    fn mistakes_are_named() {
        let refused = |function| refusal("", function, &HANDLER).unwrap_or_default();
        assert!(refused("async fn handle(task: Task) -> Outcome {}").contains("not `async`"));
        assert!(refused("fn handle<T>(task: T) -> Outcome {}").contains("generic"));
        assert!(refused("fn handle() -> Outcome {}").contains("one argument, a `handoff_sdk::Task`"));
        assert!(refused("fn handle(a: Task, b: Task) -> Outcome {}").contains("one argument"));
        assert!(refused("fn handle(&self) -> Outcome {}").contains("one argument"));
        assert!(refused("fn handle(task: Task) {}").contains("how it ended"));
        let delegate = refusal("", "fn listen() -> Result<()> {}", &DELEGATE).unwrap_or_default();
        assert!(delegate.contains("`handoff_sdk::Execution`"), "{delegate}");
        let topics = refusal(r#"topic = "a""#, "fn handle(task: Task) -> Outcome {}", &HANDLER).unwrap_or_default();
        assert!(topics.contains("manifest"), "{topics}");
    }

    #[test]
    fn a_refused_function_stays_so_that_other_errors_are_the_authors() {
        let function = syn::parse_str("fn handle() -> Outcome { Outcome }").expect("a function");
        let expanded = expand(Tokens::new(), function, &HANDLER).to_string();
        assert!(
            expanded.contains("compile_error") && expanded.contains("fn handle"),
            "{expanded}"
        );
    }
}
