//! Service task that runs within the engine: an expression, a script, or a delegate outside. What fails may be caught by an
//! event that catches exceptions of Java.

use crate::core::context::Site;
use crate::core::halt::{Halt, Run};
use crate::core::outside::OnFailure;
use crate::core::place::Place;
use crate::core::script::Occasion;
use crate::core::work::Work;
use crate::error::MachineError;
use crate::expression::EvalError;
use crate::model::Implementation;
use crate::request::DelegateEvent;

pub(super) fn execute(
    work: &mut Work<'_>,
    place: &Place,
    implementation: &Implementation,
    result_variable: Option<&str>,
) -> Run<()> {
    let site = Site::from(place);
    match implementation {
        Implementation::Expression(expression) => {
            let result = work.evaluate(&site, expression).map_err(|error| match error {
                EvalError::Failed(message) | EvalError::Unknown(message) => {
                    Halt::failure(MachineError::Execution(message), place.execution)
                }
                view @ EvalError::View(_) => view.into(),
            })?;
            if let Some(name) = result_variable {
                work.set_variable(place.execution, name, result.into_value(), false)?;
            }
        }
        Implementation::Script(script) => {
            let result = work.run_script(&site, script, Occasion::default(), OnFailure::Throw)?;
            if let Some(name) = result_variable {
                work.set_variable(place.execution, name, result.into_value(), false)?;
            }
        }
        Implementation::Delegate(delegate) => {
            work.call_delegate(&site, delegate, DelegateEvent::Execute, None, OnFailure::Throw)?;
        }
    }
    work.leave(place)
}
