//! s3life: datasets tier and expire where they lie, by a plan that can be read, approved, resumed and undone.

pub mod act;
pub mod calendar;
pub mod catalog;
pub mod connection;
pub mod decide;
mod hadoop_keys;
pub mod inventory;
pub mod listing;
pub mod partition;
pub mod places;
pub mod plan;
pub mod policy;
pub mod program;
pub mod run;
pub mod tier;
pub mod unit;
