//! Labelled scenes of honest and wasteful use, and how well `stipend-detectors` tells them apart.
//!
//! | module | job |
//! |---|---|
//! | `honest`, `wasteful` | models of behaviour that write scenes, from a seed |
//! | `scene`, `event`, `prose` | what is written, and how it is read again |
//! | `set` | the two committed sets, as observations |
//! | `measure` | precision and recall on them |
//! | `azure` | a production trace, of which nothing should be said |
//! | `speed`, `plot` | what it costs, and a picture |

pub mod azure;
pub mod event;
pub mod honest;
pub mod measure;
pub mod plot;
pub mod prose;
pub mod random;
pub mod scene;
pub mod set;
pub mod speed;
pub mod wasteful;
