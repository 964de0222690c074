//! NVIDIA's management library, loaded when the attestor starts: `libnvidia-ml.so.1`, a part of the driver.

use nvml_wrapper::error::NvmlError;

use super::{Device, Source, SourceError};

/// The devices of this machine that serve.
pub(crate) struct Nvml {
    library: nvml_wrapper::Nvml,
    uuids: Vec<String>,
}

impl Nvml {
    /// Loads the library. `wanted` are the devices' UUIDs; where it is empty, all that the machine has.
    pub(crate) fn load(wanted: &[String]) -> Result<Self, SourceError> {
        let library = nvml_wrapper::Nvml::init().map_err(error)?;
        let mut uuids = wanted.to_vec();
        if uuids.is_empty() {
            for index in 0..library.device_count().map_err(error)? {
                uuids.push(library.device_by_index(index).and_then(|device| device.uuid()).map_err(error)?);
            }
        }
        if uuids.is_empty() {
            return Err(SourceError("the machine has none".into()));
        }
        for uuid in &uuids {
            let name =
                library.device_by_uuid(uuid.as_str()).and_then(|device| device.name()).map_err(error)?;
            tracing::info!(uuid, name, "GPU time and energy are measured on this device");
        }
        Ok(Nvml { library, uuids })
    }
}

impl Source for Nvml {
    fn uuids(&self) -> Vec<String> {
        self.uuids.clone()
    }

    fn read(&mut self) -> Result<Vec<Device>, SourceError> {
        let read = |uuid: &String| {
            let device = self.library.device_by_uuid(uuid.as_str())?;
            Ok(Device {
                uuid: uuid.clone(),
                energy_mj: supported(device.total_energy_consumption())?,
                busy_percent: supported(device.utilization_rates())?.map(|rates| rates.gpu),
            })
        };
        self.uuids.iter().map(read).collect::<Result<_, _>>().map_err(error)
    }
}

/// What a device does not support is absent: energy before Volta, utilisation with MIG.
fn supported<T>(value: Result<T, NvmlError>) -> Result<Option<T>, NvmlError> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(NvmlError::NotSupported) => Ok(None),
        Err(error) => Err(error),
    }
}

fn error(error: NvmlError) -> SourceError {
    SourceError(error.to_string())
}
