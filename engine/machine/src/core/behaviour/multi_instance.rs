//! Multi-instance activity: the body makes the inner activity several times, in parallel or in turn.

use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::place::Place;
use crate::core::work::Work;
use crate::expression::Datum;
use crate::id::Id;
use crate::model::{ElementIx, Kind, MultiInstance};
use crate::value::Value;

const INSTANCES: &str = "nrOfInstances";
const ACTIVE: &str = "nrOfActiveInstances";
const COMPLETED: &str = "nrOfCompletedInstances";
const COUNTER: &str = "loopCounter";

/// More instances are refused.
const INSTANCES_MAX: i32 = 10_000;

pub(super) fn execute(work: &mut Work<'_>, place: &Place, multi: &MultiInstance) -> Run<()> {
    let count = count(work, place, multi)?;
    if count < 0 {
        return Err(Halt::execution(format!(
            "Invalid number of instances: must be non-negative integer value, but was {count}"
        )));
    }
    if count > INSTANCES_MAX {
        return Err(Halt::execution(format!(
            "a multi-instance activity has at most {INSTANCES_MAX} instances, not {count}"
        )));
    }
    if count == 0 {
        return work.leave(place);
    }
    let Some(inner) = place.element().children.first().copied() else {
        return work.leave(place);
    };
    let body = place.execution;
    set(work, body, INSTANCES, count)?;
    set(work, body, COMPLETED, 0)?;
    set(work, body, ACTIVE, if multi.sequential { 1 } else { count })?;
    if multi.sequential {
        return start(work, place, multi, inner, 0).map(drop);
    }
    let items = collection(work, place, multi)?;
    let mut executions = Vec::new();
    for counter in 0..count {
        executions.push(spawn(work, place, multi, inner, counter, items.as_deref())?);
    }
    let ops = executions
        .into_iter()
        .rev()
        .map(|execution| crate::core::agenda::Op::Arrive { execution, flow: None });
    work.agenda.extend(ops);
    Ok(())
}

/// An inner instance has ended.
pub(super) fn child_ended(work: &mut Work<'_>, place: &Place, multi: &MultiInstance) -> Run<()> {
    let body = place.execution;
    let total = get(work, body, INSTANCES)?;
    let completed = get(work, body, COMPLETED)? + 1;
    set(work, body, COMPLETED, completed)?;
    if !multi.sequential {
        let active = get(work, body, ACTIVE)? - 1;
        set(work, body, ACTIVE, active)?;
    }
    let satisfied = match &multi.completion_condition {
        Some(condition) => {
            let own = work.ended_loops.remove(&body).unwrap_or_default();
            work.with_overlay(body, own, |work| Ok(work.condition(&Site::from(place), condition)?))?
        }
        None => false,
    };
    if satisfied {
        work.cancel_children(body)?;
        return work.leave(place);
    }
    if multi.sequential {
        return match place.element().children.first().copied() {
            Some(inner) if completed < total => start(work, place, multi, inner, completed).map(drop),
            _ => work.leave(place),
        };
    }
    if work.live_children(body)?.is_empty() {
        work.leave(place)
    } else {
        work.show_changes(place).map(drop)
    }
}

fn start(work: &mut Work<'_>, place: &Place, multi: &MultiInstance, inner: ElementIx, counter: i32) -> Run<Id> {
    // In turn, the counter and the item are those of the body, as in Camunda: each instance sets them anew.
    let items = collection(work, place, multi)?;
    set_loop(work, place.execution, multi, counter, items.as_deref())?;
    let execution = work.spawn(place.instance, place.execution, &place.definition, inner)?;
    work.agenda
        .push(crate::core::agenda::Op::Arrive { execution, flow: None });
    Ok(execution)
}

/// Makes the inner instance with its counter and item.
fn spawn(
    work: &mut Work<'_>,
    place: &Place,
    multi: &MultiInstance,
    inner: ElementIx,
    counter: i32,
    items: Option<&Vec<Datum>>,
) -> Run<Id> {
    let execution = work.spawn(place.instance, place.execution, &place.definition, inner)?;
    set_loop(work, execution, multi, counter, items)?;
    Ok(execution)
}

fn set_loop(
    work: &mut Work<'_>,
    scope: Id,
    multi: &MultiInstance,
    counter: i32,
    items: Option<&Vec<Datum>>,
) -> Run<()> {
    set(work, scope, COUNTER, counter)?;
    if let (Some(name), Some(items)) = (&multi.element_variable, items) {
        let item = usize::try_from(counter)
            .ok()
            .and_then(|index| items.get(index).cloned());
        work.set_local_variable(scope, name, item.map_or(Value::Null, Datum::into_value), false)?;
    }
    Ok(())
}

impl Work<'_> {
    /// An instance of a parallel multi-instance activity ends: the completion condition sees its counter and item.
    pub(in crate::core) fn keep_loop(&mut self, place: &Place) -> Run<()> {
        let mut own = Vec::new();
        for name in self.loop_variables(place) {
            if let Some(value) = self.local_value(place.execution, name)? {
                own.push((name.to_owned(), value));
            }
        }
        if !own.is_empty() {
            self.ended_loops.insert(place.parent, own);
        }
        Ok(())
    }

    /// The names of the counter and the item, where a place is an instance of a parallel multi-instance activity.
    pub(in crate::core) fn loop_variables<'p>(&self, place: &'p Place) -> Vec<&'p str> {
        match place.element().scope.map(|scope| &place.model().at(scope).kind) {
            Some(Kind::MultiInstance(multi)) if !multi.sequential => [Some(COUNTER), multi.element_variable.as_deref()]
                .into_iter()
                .flatten()
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn count(work: &mut Work<'_>, place: &Place, multi: &MultiInstance) -> Run<i32> {
    if let Some(cardinality) = &multi.cardinality {
        return work.whole_number(&Site::from(place), cardinality);
    }
    match collection(work, place, multi)? {
        Some(items) => Ok(i32::try_from(items.len()).unwrap_or(i32::MAX)),
        None => Ok(0),
    }
}

/// The items; none where the loop goes by a number.
fn collection(work: &mut Work<'_>, place: &Place, multi: &MultiInstance) -> Run<Option<std::sync::Arc<Vec<Datum>>>> {
    let Some(expression) = &multi.collection else {
        return Ok(None);
    };
    let site = Site::from(place);
    let datum = match expression.literal() {
        // The name of a variable.
        Some(name) => match work.value(place.execution, name)? {
            Some(value) => Datum::from(&value),
            None => return Err(Halt::execution(format!("Variable '{name}' is not found"))),
        },
        None => work.evaluate(&site, expression)?,
    };
    match datum {
        Datum::List(items) => Ok(Some(items)),
        Datum::Json(json) => match json.as_array() {
            Some(items) => {
                let items = items
                    .iter()
                    .map(|item| Datum::Json(std::sync::Arc::new(item.clone())))
                    .collect();
                Ok(Some(std::sync::Arc::new(items)))
            }
            None => Err(no_collection(expression.source())),
        },
        _ => Err(no_collection(expression.source())),
    }
}

fn no_collection(source: &str) -> Halt {
    Halt::execution(format!(
        "collection expression '{source}' didn't resolve to a Collection"
    ))
}

/// The body was entered to put a token into it: it has no instances yet.
pub(in crate::core) fn open_multi_instance(work: &mut Work<'_>, body: Id) -> Run<()> {
    for name in [INSTANCES, COMPLETED, ACTIVE] {
        set(work, body, name, 0)?;
    }
    Ok(())
}

/// An inner instance is put into the body.
pub(in crate::core) fn add_inner_instance(
    work: &mut Work<'_>,
    multi: &MultiInstance,
    body: Id,
    execution: Id,
) -> Run<()> {
    let (total, active) = (get(work, body, INSTANCES)?, get(work, body, ACTIVE)?);
    set(work, body, INSTANCES, total + 1)?;
    set(work, body, ACTIVE, active + 1)?;
    let owner = if multi.sequential { body } else { execution };
    set(work, owner, COUNTER, total)
}

/// An inner instance was taken out of the body.
pub(in crate::core) fn remove_inner_instance(work: &mut Work<'_>, body: Id) -> Run<()> {
    let active = get(work, body, ACTIVE)?;
    set(work, body, ACTIVE, active - 1)
}

fn set(work: &mut Work<'_>, scope: Id, name: &str, number: i32) -> Run<()> {
    work.set_local_variable(scope, name, Value::Integer(number), false)
}

fn get(work: &mut Work<'_>, scope: Id, name: &str) -> Run<i32> {
    match work.local_value(scope, name)? {
        Some(Value::Integer(number)) => Ok(number),
        _ => Err(Halt::execution(format!(
            "the variable '{name}' of a multi-instance activity is missing"
        ))),
    }
}
