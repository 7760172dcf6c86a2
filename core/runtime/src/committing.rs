//! Going back to what ran once.

use setpoint_bench::KeyPath;
use setpoint_store::TextHash;

use crate::{
    command::{Answer, CommandError},
    event::{Origin, Tone},
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
            if TextHash::of(&*text) == self.running.hash && self.file_side.in_step() {
                let message = going_back::runs_already(&target.id, &self.running.revision.id);
                self.tell(Origin::Rollback, "rollback_unchanged", Tone::Info, message);
                return Ok(Answer::Changed(Box::new(self.as_it_is())));
            }
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
