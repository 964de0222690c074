//! What is created in the cluster for one job: a suspended Job with Kueue's labels, and the Secret that it mounts
//! [Kubernetes API reference, `batch/v1` Job; Kueue, "Labels and Annotations"].

use serde_json::{json, Value};
use stipend_primitives::AccountId;

use super::record::JobId;
use crate::config::JobsConfig;

/// Which LocalQueue the Job waits in.
const QUEUE: &str = "kueue.x-k8s.io/queue-name";

/// Which WorkloadPriorityClass it has.
const PRIORITY_CLASS: &str = "kueue.x-k8s.io/priority-class";

/// Whose Job it is: the front of the gateway's account.
const GATEWAY: &str = "stipend.io/gateway";

/// Pods that may fail before the Job does: a node that goes down is nobody's fault.
const BACKOFF_LIMIT: u32 = 3;

/// Seconds after which the cluster removes a Job that is over by itself, should this gateway not do it.
const TTL_S: u64 = 3_600;

/// Where the runner finds the Secret.
const WORK_DIR: &str = "/work";

/// Name of a job's Job and Secret.
pub(crate) fn name(id: &JobId) -> String {
    format!("stipend-{id}")
}

/// The label that all Jobs of a gateway have and no others.
pub(crate) fn label(gateway: &AccountId) -> String {
    format!("{GATEWAY}={}", label_value(gateway))
}

/// Half of the account: a label has room for no more, and nothing but a gateway with this key has such a label.
fn label_value(gateway: &AccountId) -> String {
    hex::encode(&<AccountId as AsRef<[u8]>>::as_ref(gateway)[..16])
}

/// The Job. Nothing in it is of a caller's choice, and nothing says whose request it is.
pub(crate) fn job(config: &JobsConfig, gateway: &AccountId, id: &JobId, class_name: &str) -> Value {
    let own = json!({
        "app.kubernetes.io/name": "stipend-job",
        "app.kubernetes.io/managed-by": "stipend-gateway",
        GATEWAY: label_value(gateway),
    });
    let mut labels = own.clone();
    labels[QUEUE] = config.queue.clone().into();
    if let Some(class) = config.priority_classes.get(class_name).or(config.priority_class.as_ref()) {
        labels[PRIORITY_CLASS] = class.clone().into();
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name(id), "namespace": config.namespace, "labels": labels },
        "spec": {
            // Kueue resumes it when there is quota for it.
            "suspend": true,
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": BACKOFF_LIMIT,
            "activeDeadlineSeconds": config.run_max.as_secs(),
            "ttlSecondsAfterFinished": TTL_S,
            "template": {
                "metadata": { "labels": own },
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": false,
                    "enableServiceLinks": false,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "containers": [{
                        "name": "runner",
                        "image": config.image,
                        "command": config.command,
                        // Kueue counts requests; some resources must be limited too.
                        "resources": { "requests": config.resources, "limits": config.resources },
                        "securityContext": {
                            "allowPrivilegeEscalation": false,
                            "readOnlyRootFilesystem": true,
                            "capabilities": { "drop": ["ALL"] },
                        },
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "volumeMounts": [{ "name": "work", "mountPath": WORK_DIR, "readOnly": true }],
                    }],
                    "volumes": [{ "name": "work", "secret": { "secretName": name(id) } }],
                },
            },
        },
    })
}

/// What the runner is told: where the gateway is, and what proves that it is the runner of this job. The cluster
/// removes it together with the Job of this `uid`.
pub(crate) fn secret(
    config: &JobsConfig,
    gateway: &AccountId,
    id: &JobId,
    uid: &str,
    report_token: &str,
) -> Value {
    let mut texts = json!({
        "url": format!("{}{}{id}", config.gateway_url, super::PATH),
        "token": report_token,
    });
    if let Some(ca) = &config.gateway_ca {
        texts["ca.pem"] = ca.clone().into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name(id),
            "namespace": config.namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "stipend-gateway",
                GATEWAY: label_value(gateway),
            },
            "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": name(id), "uid": uid }],
        },
        "type": "Opaque",
        "immutable": true,
        "stringData": texts,
    })
}
