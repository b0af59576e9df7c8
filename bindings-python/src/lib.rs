//! The extension module `s3core._s3core`: translation between Python and core, and no policy.
//!
//! What users see is the typed Python around it (`python/s3core`); `_s3core.pyi` declares what is here.

mod configuration;
mod errors;
mod gateway;
mod life;
mod new_bytes;
mod probe;
mod process;
mod program;
mod store;
mod uploads;
mod wait;
mod writer;

use pyo3::prelude::*;

#[pymodule]
mod _s3core {
    #[pymodule_export]
    use crate::configuration::{explain, hadoop_settings};
    #[pymodule_export]
    use crate::errors::error_table;
    #[pymodule_export]
    use crate::gateway::Gateway;
    #[pymodule_export]
    use crate::life::{life_call, life_table};
    #[pymodule_export]
    use crate::probe::{memory_budget, probe, probe_bucket};
    #[pymodule_export]
    use crate::program::{run_life, run_program};
    #[pymodule_export]
    use crate::store::{Listing, Store};
    #[pymodule_export]
    use crate::uploads::{abort_job, complete_job, pending_jobs, purge_uploads};
    #[pymodule_export]
    use crate::writer::Writer;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name of it")]
    const __version__: &str = s3core::VERSION;
}
