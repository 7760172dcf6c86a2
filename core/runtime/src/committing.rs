//! Going back to what ran once.

use setpoint_bench::KeyPath;

use crate::{
    command::{Answer, CommandError},
    event::Origin,
    files::Files,
    going_back,
    manager::Manager,
    passage::Proposal,
};

impl Manager {
    pub(crate) async fn roll_back(
        &mut self,
        revision: String,
        only: Vec<KeyPath>,
        author: String,
    ) -> Result<Answer, CommandError> {
        let target = self.keeping.find(&revision)?;
        let text = self.keeping.text(&target.id).await?;
        let message = going_back::message(&target.id, &only);
        let closed = only.is_empty();
        let text = if closed {
            going_back::no_surplus(&target.id, &self.running.text, &text)?;
            text
        } else {
            let (drivers, now) = (self.drivers.clone(), self.running.values.clone());
            let work =
                move |files: &Files| going_back::edits_towards(files, &drivers, &now, &text, &only);
            self.edited(self.read_or_recalled(work).await??).await?
        };
        let proposal = Proposal::written(Origin::Rollback, author, message, text);
        self.change(Proposal { closed, ..proposal }).await
    }
}
