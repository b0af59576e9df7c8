//! A Hive metastore, as clients of 2.3 to 4.0 speak to it: calls of `ThriftHiveMetastore` in Thrift's binary protocol, over a
//! connection of their own.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TInputProtocol, TMessageIdentifier, TMessageType, TOutputProtocol,
};
use thrift::transport::{
    ReadHalf, TBufferedReadTransport, TBufferedWriteTransport, TIoChannel, TTcpChannel, WriteHalf,
};

use crate::policy;

use super::thrift::{Fields, Value};
use super::{Catalog, CatalogError, Partition};

/// A table in a Hive metastore.
pub struct Metastore {
    table: policy::Catalog,
    input: TBinaryInputProtocol<TBufferedReadTransport<ReadHalf<TTcpChannel>>>,
    output: TBinaryOutputProtocol<TBufferedWriteTransport<WriteHalf<TTcpChannel>>>,
    sequence: i32,
}

/// To connect to one address.
const CONNECT: Duration = Duration::from_secs(10);
/// For each read of an answer, and each write of a question.
const ANSWER: Duration = Duration::from_secs(120);

/// What Hive calls a table whose data stays when it is dropped (`TableType`).
const EXTERNAL: &str = "EXTERNAL_TABLE";

/// Fields of `Table`, `GetTableResult` and `FieldSchema`.
const TABLE: i16 = 1;
const PARTITION_KEYS: i16 = 8;
const TABLE_TYPE: i16 = 12;
const COLUMN_NAME: i16 = 1;

/// The field of a reply that holds what was asked for; the others hold exceptions.
const SUCCESS: i16 = 0;
/// The field of an exception that says why.
const MESSAGE: i16 = 1;

/// Exceptions by their place in the declarations of the calls.
const GET_NO_SUCH_OBJECT: i16 = 2;
const DROP_NO_SUCH_OBJECT: i16 = 1;
const ADD_ALREADY_EXISTS: i16 = 2;

/// Why a call has brought nothing.
enum Unanswered {
    /// One of the exceptions that the call declares, with its place.
    Exception(i16, String),
    /// The metastore does not know the call, or has failed in it.
    Failed(String),
    Broken(thrift::Error),
}

impl From<thrift::Error> for Unanswered {
    fn from(failure: thrift::Error) -> Self {
        Self::Broken(failure)
    }
}

impl Metastore {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// `Unreachable`.
    pub fn open(table: &policy::Catalog) -> Result<Self, CatalogError> {
        let unreachable = |reason: String| CatalogError::Unreachable { uri: table.uri.clone(), reason };
        let mut reasons = Vec::new();
        for (host, port) in addresses(&table.uri).map_err(unreachable)? {
            match connect(&host, port) {
                Ok(channel) => {
                    let (read, write) = channel.split().map_err(|failure| unreachable(failure.to_string()))?;
                    return Ok(Self {
                        table: table.clone(),
                        input: TBinaryInputProtocol::new(TBufferedReadTransport::new(read), true),
                        output: TBinaryOutputProtocol::new(TBufferedWriteTransport::new(write), true),
                        sequence: 0,
                    });
                }
                Err(failure) => reasons.push(format!("{host}:{port}: {failure}")),
            }
        }
        Err(unreachable(reasons.join("; ")))
    }

    fn call(&mut self, name: &str, arguments: &Fields) -> Result<Option<Value>, Unanswered> {
        self.sequence = self.sequence.wrapping_add(1);
        self.output.write_message_begin(&TMessageIdentifier::new(name, TMessageType::Call, self.sequence))?;
        Value::write_fields(&mut self.output, arguments)?;
        self.output.write_message_end()?;
        self.output.flush()?;
        let reply = self.input.read_message_begin()?;
        let fields = Value::read_fields(&mut self.input)?;
        self.input.read_message_end()?;
        if reply.sequence_number != self.sequence {
            return Err(Unanswered::Failed("it answers another question".to_owned()));
        }
        let message = |value: &Value| value.field(MESSAGE).and_then(Value::as_text).unwrap_or("no reason").to_owned();
        match reply.message_type {
            TMessageType::Exception => Err(Unanswered::Failed(message(&Value::Struct(fields)))),
            _ => match fields.into_iter().next() {
                Some((SUCCESS, value)) => Ok(Some(value)),
                Some((place, exception)) => Err(Unanswered::Exception(place, message(&exception))),
                None => Ok(None),
            },
        }
    }

    /// The table's database and name, as the first arguments of most calls.
    fn named(&self) -> Fields {
        vec![(1, Value::text(&self.table.database)), (2, Value::text(&self.table.table))]
    }

    fn failed(&self, call: &'static str, why: Unanswered) -> CatalogError {
        let uri = self.table.uri.clone();
        match why {
            Unanswered::Broken(failure) => CatalogError::Unreachable { uri, reason: failure.to_string() },
            Unanswered::Exception(_, reason) | Unanswered::Failed(reason) => {
                CatalogError::Refused { uri, call, table: self.table.name(), reason }
            }
        }
    }

    fn partitions_like(&mut self, values: &[&str]) -> Result<Vec<Partition>, CatalogError> {
        let mut arguments = self.named();
        // An empty value stands for any, and -1 for all of them.
        arguments.extend([(3, Value::texts(values.iter().copied())), (4, Value::I16(-1))]);
        match self.call("get_partitions_ps", &arguments) {
            Ok(Some(Value::List(_, found))) => Ok(found.into_iter().map(Partition).collect()),
            Ok(_) | Err(Unanswered::Exception(GET_NO_SUCH_OBJECT, _)) => Ok(Vec::new()),
            Err(why) => Err(self.failed("get_partitions_ps", why)),
        }
    }
}

impl Catalog for Metastore {
    fn columns(&mut self) -> Result<Vec<String>, CatalogError> {
        let request = Value::Struct(self.named());
        let (uri, table) = (self.table.uri.clone(), self.table.name());
        let answer = match self.call("get_table_req", &vec![(1, request)]) {
            Ok(answer) => answer,
            Err(Unanswered::Exception(GET_NO_SUCH_OBJECT, _)) => return Err(CatalogError::NoTable { uri, table }),
            Err(why) => return Err(self.failed("get_table_req", why)),
        };
        let found = answer.as_ref().and_then(|result| result.field(TABLE));
        let kind = found.and_then(|found| found.field(TABLE_TYPE)).and_then(Value::as_text).unwrap_or("of no type");
        if kind != EXTERNAL {
            return Err(CatalogError::Managed { uri, table, kind: kind.to_owned() });
        }
        let columns = found.and_then(|found| found.field(PARTITION_KEYS)).and_then(Value::as_list).unwrap_or_default();
        let names = columns.iter().filter_map(|column| column.field(COLUMN_NAME)?.as_text());
        let names: Vec<_> = names.map(str::to_owned).collect();
        if names.is_empty() { Err(CatalogError::NoPartitions { uri, table }) } else { Ok(names) }
    }

    fn partitions(&mut self, values: &[Option<String>]) -> Result<Vec<Partition>, CatalogError> {
        let known: Option<Vec<&str>> = values.iter().map(Option::as_deref).collect();
        let Some(known) = known else {
            return self
                .partitions_like(&values.iter().map(|value| value.as_deref().unwrap_or("")).collect::<Vec<_>>());
        };
        let mut arguments = self.named();
        arguments.push((3, Value::texts(known)));
        match self.call("get_partition", &arguments) {
            Ok(found) => Ok(found.map(Partition).into_iter().collect()),
            Err(Unanswered::Exception(GET_NO_SUCH_OBJECT, _)) => Ok(Vec::new()),
            Err(why) => Err(self.failed("get_partition", why)),
        }
    }

    fn drop(&mut self, partition: &Partition) -> Result<(), CatalogError> {
        let mut arguments = self.named();
        // `deleteData`: never.
        arguments.extend([(3, Value::texts(partition.values())), (4, Value::Bool(false))]);
        match self.call("drop_partition", &arguments) {
            Ok(_) | Err(Unanswered::Exception(DROP_NO_SUCH_OBJECT, _)) => Ok(()),
            Err(why) => Err(self.failed("drop_partition", why)),
        }
    }

    fn add(&mut self, partition: &Partition) -> Result<(), CatalogError> {
        match self.call("add_partition", &vec![(1, partition.0.clone())]) {
            Ok(_) | Err(Unanswered::Exception(ADD_ALREADY_EXISTS, _)) => Ok(()),
            Err(why) => Err(self.failed("add_partition", why)),
        }
    }
}

/// Hosts and ports of `thrift://HOST:PORT`, of which there may be several with commas between them.
///
/// # Errors
/// What is wrong, with the remedy.
pub fn addresses(uri: &str) -> Result<Vec<(String, u16)>, String> {
    let address = |one: &str| {
        let (host, port) = one.trim().strip_prefix("thrift://")?.trim_end_matches('/').rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((host.to_owned(), port.parse().ok()?)).filter(|(host, port)| !host.is_empty() && *port > 0)
    };
    let found: Option<Vec<_>> = uri.split(',').map(address).collect();
    found.ok_or_else(|| format!("`{uri}` is no metastore: write thrift://HOST:9083"))
}

fn connect(host: &str, port: u16) -> io::Result<TTcpChannel> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(ANSWER))?;
                stream.set_write_timeout(Some(ANSWER))?;
                return Ok(TTcpChannel::with_stream(stream));
            }
            Err(other) => failure = other,
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_thrift() {
        let found = addresses("thrift://one:9083, thrift://[::1]:9084/").unwrap();
        assert_eq!(found, [("one".to_owned(), 9083), ("::1".to_owned(), 9084)]);
        for wrong in
            ["", "thrift://one", "http://one:9083", "thrift://:9083", "thrift://one:0", "thrift://one:9083,two:1"]
        {
            assert!(addresses(wrong).unwrap_err().contains("write thrift://HOST:9083"), "{wrong}");
        }
    }

    #[test]
    fn where_nobody_answers_uri_and_remedy_are_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("thrift://{}", listener.local_addr().unwrap());
        drop(listener);
        let table = policy::Catalog { uri: uri.clone(), database: "lake".to_owned(), table: "events".to_owned() };
        let failure = Metastore::open(&table).err().unwrap().to_string();
        assert!(failure.contains(&uri) && failure.contains("Kerberos") && failure.contains("refused"), "{failure}");
    }
}
