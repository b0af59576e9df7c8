//! s3life: datasets tier and expire where they lie, by a plan that can be read, approved, resumed and undone.

pub mod act;
pub mod calendar;
pub mod catalog;
pub mod census;
pub mod connection;
pub mod decide;
pub mod export;
mod hadoop_keys;
pub mod inventory;
pub mod listing;
pub mod metrics;
pub mod pace;
pub mod page;
pub mod partition;
pub mod places;
pub mod plan;
pub mod policy;
pub mod program;
pub mod run;
pub mod serve;
pub mod tier;
pub mod unit;
pub mod verify;
mod words;
