//! What is to be made, from flags or answers.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use anyhow::Result;
use sp_core::crypto::Ss58Codec;
use stipend_sdk::primitives::AccountId;

use crate::failure::Failure;

/// Ports of the first node on a machine; the next ones on it get the next numbers.
pub(crate) const FIRST_PORTS: Ports = Ports { p2p: 30333, rpc: 9944, prometheus: 9615 };

/// The ports of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) p2p: u16,
    pub(crate) rpc: u16,
    pub(crate) prometheus: u16,
}

/// A host by name and address: `munich=10.0.0.1`, `munich=node1.example:30400`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostAt {
    pub(crate) name: String,
    pub(crate) address: String,
    /// The port that other nodes connect to, if one was named.
    pub(crate) port: Option<u16>,
}

impl FromStr for HostAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("\"{text}\" is not a host: {why}; write NAME=ADDRESS or NAME=ADDRESS:PORT");
        let (name, place) = text.split_once('=').ok_or_else(|| wrong("there is no \"=\" in it"))?;
        let name = file_name(name)?;
        if place.parse::<Ipv6Addr>().is_ok() {
            return Ok(HostAt { name, address: place.into(), port: None });
        }
        let (address, port) = match place.rsplit_once(':') {
            Some((address, port)) => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (address, Some(port.ok_or_else(|| wrong("the port is not a number from 1 to 65535"))?))
            }
            None => (place, None),
        };
        let address = address.trim_start_matches('[').trim_end_matches(']');
        if address.parse::<IpAddr>().is_err() && !is_dns_name(address) {
            return Err(wrong("the address is neither an IP address nor a DNS name"));
        }
        Ok(HostAt { name, address: address.into(), port })
    }
}

/// Somebody with a role: a name, and an address if their key was made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) account: Option<AccountId>,
}

impl FromStr for Person {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None => Ok(Person { name: file_name(text)?, account: None }),
            Some((name, account)) => {
                Ok(Person { name: file_name(name)?, account: Some(crate::parse::account(account)?) })
            }
        }
    }
}

/// A name that is also a file's.
fn file_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 32 || text.starts_with('-') || !text.chars().all(fits) {
        return Err(format!(
            "\"{text}\" cannot be a name here: use 1 to 32 small letters, digits and hyphens, such as munich-1"
        ));
    }
    Ok(text.into())
}

fn is_dns_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(fits);
    text.len() <= 253 && text.split('.').all(is_label)
}

/// One host of the plan.
#[derive(Clone, Debug)]
pub(crate) struct HostPlan {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) ports: Ports,
    pub(crate) is_validator: bool,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What people call the network.
    pub(crate) name: String,
    pub(crate) hosts: Vec<HostPlan>,
    pub(crate) council: Vec<Person>,
    pub(crate) issuers: Vec<Person>,
    /// Blocks in a session, if not the chain's default.
    pub(crate) session_blocks: Option<u32>,
}

impl Plan {
    /// The name in the form of an identifier: `Acme Corp.` becomes `acme-corp`.
    pub(crate) fn id(&self) -> String {
        let dashed: String = self
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let parts: Vec<&str> = dashed.split('-').filter(|part| !part.is_empty()).collect();
        parts.join("-")
    }

    /// Says what is missing or said twice.
    pub(crate) fn check(&self) -> Result<()> {
        let usage = |message: String| Err(Failure::usage(message).into());
        if self.id().is_empty() || self.name.len() > 64 {
            return usage("the network's name needs a letter or a digit, and at most 64 bytes".into());
        }
        if !self.hosts.iter().any(|host| host.is_validator) {
            return usage(
                "a network needs a validator; give --validator NAME=ADDRESS, best four times".into(),
            );
        }
        if self.council.is_empty() {
            return usage("a network needs a council; give --council NAME, best three times or more".into());
        }
        twice(self.hosts.iter().map(|host| host.name.clone()), "host")?;
        twice(self.council.iter().map(|person| person.name.clone()), "council member")?;
        twice(self.issuers.iter().map(|person| person.name.clone()), "issuer")?;
        let accounts = self.council.iter().filter_map(|person| person.account.as_ref());
        twice(accounts.map(Ss58Codec::to_ss58check), "council account")?;
        let places = self.hosts.iter().map(|host| format!("{}:{}", host.address, host.ports.p2p));
        twice(places, "address")
    }

    /// What the founder should think about again.
    pub(crate) fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        let validators = self.hosts.iter().filter(|host| host.is_validator).count();
        if validators < 4 {
            advice.push(format!(
                "With {validators} validators the network survives the loss of none: four survive one, seven two."
            ));
        }
        if self.council.len() < 3 {
            advice.push(format!(
                "With {} on the council, one lost key can block every decision: three or more are better.",
                self.council.len()
            ));
        }
        advice
    }
}

fn twice(names: impl Iterator<Item = String>, what: &str) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            return Err(Failure::usage(format!(
                "the {what} {name} is named twice; each needs one of its own"
            ))
            .into());
        }
    }
    Ok(())
}

/// Gives each host its ports: hosts with the same address share a machine, and so do all loopback
/// addresses.
pub(crate) fn with_ports(
    hosts: impl IntoIterator<Item = (HostAt, bool)>,
    first: Ports,
    taken: &[(String, Ports)],
) -> Vec<HostPlan> {
    let mut used: Vec<(String, Ports)> =
        taken.iter().map(|(address, ports)| (machine(address), *ports)).collect();
    hosts
        .into_iter()
        .map(|(host, is_validator)| {
            let machine = machine(&host.address);
            let here = || used.iter().filter(|(other, _)| *other == machine).map(|(_, ports)| *ports);
            let free = |first: u16, port: fn(&Ports) -> u16| {
                (first..).find(|at| !here().any(|ports| port(&ports) == *at)).unwrap_or(first)
            };
            let ports = Ports {
                p2p: host.port.unwrap_or_else(|| free(first.p2p, |ports| ports.p2p)),
                rpc: free(first.rpc, |ports| ports.rpc),
                prometheus: free(first.prometheus, |ports| ports.prometheus),
            };
            used.push((machine, ports));
            HostPlan { name: host.name, address: host.address, ports, is_validator }
        })
        .collect()
}

/// What stands for the machine that an address is of.
pub(crate) fn machine(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => "this machine".into(),
        _ if address == "localhost" => "this machine".into(),
        _ => address.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn host(text: &str) -> HostAt {
        text.parse().unwrap()
    }

    #[test]
    fn a_host_is_a_name_and_an_address_perhaps_with_a_port() {
        assert_eq!(host("oslo=10.0.0.2").port, None);
        assert_eq!(host("oslo=node.example:30400").port, Some(30400));
        assert_eq!(host("oslo=[2001:db8::1]:30400").address, "2001:db8::1");
        assert_eq!(host("oslo=2001:db8::1").address, "2001:db8::1");
        for wrong in ["oslo", "=10.0.0.1", "Oslo=10.0.0.1", "../x=10.0.0.1", "oslo=", "oslo=a b", "oslo=a:0"]
        {
            assert!(wrong.parse::<HostAt>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_of_one_machine_get_ports_of_their_own() {
        let hosts = ["a=127.0.0.1", "b=127.0.0.2", "c=10.0.0.1", "d=10.0.0.1:30333", "e=10.0.0.1"];
        let plans = with_ports(hosts.map(|text| (host(text), true)), FIRST_PORTS, &[]);
        let ports: Vec<_> = plans.iter().map(|plan| (plan.ports.p2p, plan.ports.rpc)).collect();
        assert_eq!(ports, [(30333, 9944), (30334, 9945), (30333, 9944), (30333, 9945), (30334, 9946)]);
    }

    #[test]
    fn a_new_host_avoids_ports_that_are_taken() {
        let taken = [("127.0.0.1".to_string(), FIRST_PORTS)];
        let plans = with_ports([(host("b=127.0.0.1"), false)], FIRST_PORTS, &taken);
        assert_eq!(plans[0].ports, Ports { p2p: 30334, rpc: 9945, prometheus: 9616 });
    }

    fn plan() -> Plan {
        Plan {
            name: "Acme Corp.".into(),
            hosts: with_ports([(host("a=10.0.0.1"), true)], FIRST_PORTS, &[]),
            council: vec!["ada".parse().unwrap()],
            issuers: vec![],
            session_blocks: None,
        }
    }

    #[test]
    fn a_plan_without_validators_or_council_or_with_something_twice_is_refused() {
        assert!(plan().check().is_ok());
        assert_eq!(plan().id(), "acme-corp");
        assert!(Plan { hosts: vec![], ..plan() }.check().is_err());
        assert!(Plan { council: vec![], ..plan() }.check().is_err());
        assert!(Plan { name: "…".into(), ..plan() }.check().is_err());
        let hosts = [plan().hosts, plan().hosts].concat();
        assert!(Plan { hosts, ..plan() }.check().is_err());
        let person: Person = "bo=//Bob".parse().unwrap();
        let council = vec![person.clone(), Person { name: "cy".into(), ..person }];
        assert!(Plan { council, ..plan() }.check().is_err(), "one account has one seat");
    }

    #[test]
    fn a_small_network_is_advised_to_grow() {
        assert_eq!(plan().advice().len(), 2);
    }
}
