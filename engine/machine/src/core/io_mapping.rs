//! Input and output parameters.

use indexmap::IndexMap;

use super::context::Site;
use super::halt::Run;
use super::outside::OnFailure;
use super::place::Place;
use super::script::Occasion;
use super::work::Work;
use crate::expression::Datum;
use crate::model::ParameterValue;

impl Work<'_> {
    /// Input parameters become local variables of the activity instance.
    pub(super) fn map_inputs(&mut self, place: &Place) -> Run<()> {
        if place.element().inputs.is_empty() || self.skip_io_mappings {
            return Ok(());
        }
        let site = Site::from(place);
        for parameter in &place.element().inputs {
            let value = self.parameter_value(&site, &parameter.value)?.into_value();
            self.set_local_variable(place.execution, &parameter.name, value, false)?;
        }
        Ok(())
    }

    /// Output parameters are evaluated inside and set in the scope around.
    pub(super) fn map_outputs(&mut self, place: &Place) -> Run<()> {
        if place.element().outputs.is_empty() || self.skip_io_mappings {
            return Ok(());
        }
        let site = Site::from(place);
        for parameter in &place.element().outputs {
            let value = self.parameter_value(&site, &parameter.value)?.into_value();
            self.set_variable(place.parent, &parameter.name, value, false)?;
        }
        Ok(())
    }

    fn parameter_value(&mut self, site: &Site, value: &ParameterValue) -> Run<Datum> {
        Ok(match value {
            ParameterValue::Null => Datum::Null,
            ParameterValue::Expression(expression) => self.evaluate(site, expression)?,
            ParameterValue::Script(script) => {
                self.run_script(site, script, Occasion::default(), OnFailure::EndCommand)?
            }
            ParameterValue::List(items) => {
                let items: Run<Vec<Datum>> = items.iter().map(|item| self.parameter_value(site, item)).collect();
                Datum::list(items?)
            }
            ParameterValue::Map(entries) => {
                let mut map = IndexMap::new();
                for (key, value) in entries {
                    let key = self.evaluate_text(site, key)?.unwrap_or_default();
                    map.insert(key, self.parameter_value(site, value)?);
                }
                Datum::from(map)
            }
        })
    }
}
