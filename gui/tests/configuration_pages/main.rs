//! The pages Changes, History and Activity, drawn and clicked with nothing running behind them.

mod activity;
mod changes;
mod fixture;
mod history;
