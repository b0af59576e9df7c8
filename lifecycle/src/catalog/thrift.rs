//! Values of Thrift, whatever they mean: a partition is kept and brought back with all that a metastore of any version says of
//! it.

use serde::{Deserialize, Serialize};
use thrift::protocol::{
    TFieldIdentifier, TInputProtocol, TListIdentifier, TMapIdentifier, TOutputProtocol, TSetIdentifier,
    TStructIdentifier, TType,
};
use thrift::{ProtocolError, ProtocolErrorKind};

/// A value of Thrift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// Its bits, so that it comes back as it was.
    Double(u64),
    Text(String),
    /// A string that is no UTF-8.
    Bytes(Vec<u8>),
    List(Kind, Vec<Self>),
    Set(Kind, Vec<Self>),
    Map(Kind, Kind, Vec<(Self, Self)>),
    Struct(Fields),
}

/// The fields of a structure, by their numbers.
pub(super) type Fields = Vec<(i16, Value)>;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    Double,
    String,
    List,
    Set,
    Map,
    Struct,
}

impl Kind {
    const ALL: [(Self, TType); 11] = [
        (Self::Bool, TType::Bool),
        (Self::I8, TType::I08),
        (Self::I16, TType::I16),
        (Self::I32, TType::I32),
        (Self::I64, TType::I64),
        (Self::Double, TType::Double),
        (Self::String, TType::String),
        (Self::List, TType::List),
        (Self::Set, TType::Set),
        (Self::Map, TType::Map),
        (Self::Struct, TType::Struct),
    ];

    fn of(wire: TType) -> thrift::Result<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == wire);
        known.map(|(kind, _)| *kind).ok_or_else(|| malformed(format!("values of the type {wire}")))
    }

    /// A new empty list has a type of its own in both Thrift and here.
    fn wire(self) -> TType {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(TType::Void, |(_, wire)| *wire)
    }
}

/// Values within values within values: no metastore says anything of that depth.
const DEEPEST: usize = 32;

impl Value {
    /// Of a text.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A list of texts.
    pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::List(Kind::String, texts.into_iter().map(Self::text).collect())
    }

    /// The field with this number, of a structure.
    pub(super) fn field(&self, number: i16) -> Option<&Self> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|(known, _)| *known == number).map(|(_, value)| value)
    }

    /// Of a text.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Of a list.
    pub(super) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(_, values) => Some(values),
            _ => None,
        }
    }

    /// Reads a structure.
    pub(super) fn read_fields(input: &mut dyn TInputProtocol) -> thrift::Result<Fields> {
        read_fields(input, 0)
    }

    /// Writes a structure.
    pub(super) fn write_fields(output: &mut dyn TOutputProtocol, fields: &Fields) -> thrift::Result<()> {
        output.write_struct_begin(&TStructIdentifier::new(""))?;
        for (number, value) in fields {
            output.write_field_begin(&TFieldIdentifier::new("", value.kind().wire(), *number))?;
            value.write(output)?;
            output.write_field_end()?;
        }
        output.write_field_stop()?;
        output.write_struct_end()
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Bool(_) => Kind::Bool,
            Self::I8(_) => Kind::I8,
            Self::I16(_) => Kind::I16,
            Self::I32(_) => Kind::I32,
            Self::I64(_) => Kind::I64,
            Self::Double(_) => Kind::Double,
            Self::Text(_) | Self::Bytes(_) => Kind::String,
            Self::List(..) => Kind::List,
            Self::Set(..) => Kind::Set,
            Self::Map(..) => Kind::Map,
            Self::Struct(_) => Kind::Struct,
        }
    }

    fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        match self {
            Self::Bool(value) => output.write_bool(*value),
            Self::I8(value) => output.write_i8(*value),
            Self::I16(value) => output.write_i16(*value),
            Self::I32(value) => output.write_i32(*value),
            Self::I64(value) => output.write_i64(*value),
            Self::Double(bits) => output.write_double(f64::from_bits(*bits)),
            Self::Text(text) => output.write_string(text),
            Self::Bytes(bytes) => output.write_bytes(bytes),
            Self::List(kind, values) => {
                output.write_list_begin(&TListIdentifier::new(kind.wire(), size(values.len())?))?;
                values.iter().try_for_each(|value| value.write(output))?;
                output.write_list_end()
            }
            Self::Set(kind, values) => {
                output.write_set_begin(&TSetIdentifier::new(kind.wire(), size(values.len())?))?;
                values.iter().try_for_each(|value| value.write(output))?;
                output.write_set_end()
            }
            Self::Map(keys, values, entries) => {
                output.write_map_begin(&TMapIdentifier::new(keys.wire(), values.wire(), size(entries.len())?))?;
                for (key, value) in entries {
                    key.write(output)?;
                    value.write(output)?;
                }
                output.write_map_end()
            }
            Self::Struct(fields) => Self::write_fields(output, fields),
        }
    }
}

fn read_fields(input: &mut dyn TInputProtocol, depth: usize) -> thrift::Result<Fields> {
    let mut fields = Vec::new();
    input.read_struct_begin()?;
    loop {
        let field = input.read_field_begin()?;
        if field.field_type == TType::Stop {
            input.read_struct_end()?;
            return Ok(fields);
        }
        let number = field.id.ok_or_else(|| malformed("a field without a number"))?;
        fields.push((number, read(input, Kind::of(field.field_type)?, depth + 1)?));
        input.read_field_end()?;
    }
}

fn read(input: &mut dyn TInputProtocol, kind: Kind, depth: usize) -> thrift::Result<Value> {
    if depth > DEEPEST {
        return Err(malformed(format!("more than {DEEPEST} values within each other")));
    }
    Ok(match kind {
        Kind::Bool => Value::Bool(input.read_bool()?),
        Kind::I8 => Value::I8(input.read_i8()?),
        Kind::I16 => Value::I16(input.read_i16()?),
        Kind::I32 => Value::I32(input.read_i32()?),
        Kind::I64 => Value::I64(input.read_i64()?),
        Kind::Double => Value::Double(input.read_double()?.to_bits()),
        Kind::String => match String::from_utf8(input.read_bytes()?) {
            Ok(text) => Value::Text(text),
            Err(other) => Value::Bytes(other.into_bytes()),
        },
        Kind::List => {
            let list = input.read_list_begin()?;
            let kind = Kind::of(list.element_type)?;
            let values = (0..list.size).map(|_| read(input, kind, depth + 1)).collect::<thrift::Result<_>>()?;
            input.read_list_end()?;
            Value::List(kind, values)
        }
        Kind::Set => {
            let set = input.read_set_begin()?;
            let kind = Kind::of(set.element_type)?;
            let values = (0..set.size).map(|_| read(input, kind, depth + 1)).collect::<thrift::Result<_>>()?;
            input.read_set_end()?;
            Value::Set(kind, values)
        }
        Kind::Map => {
            let map = input.read_map_begin()?;
            let of = |wire: Option<TType>| wire.map_or(Ok(Kind::String), Kind::of);
            let (keys, values) = (of(map.key_type)?, of(map.value_type)?);
            let entries = (0..map.size)
                .map(|_| Ok((read(input, keys, depth + 1)?, read(input, values, depth + 1)?)))
                .collect::<thrift::Result<_>>()?;
            input.read_map_end()?;
            Value::Map(keys, values, entries)
        }
        Kind::Struct => Value::Struct(read_fields(input, depth)?),
    })
}

fn size(length: usize) -> thrift::Result<i32> {
    i32::try_from(length).map_err(|_| malformed("more values than Thrift can count"))
}

fn malformed(what: impl Into<String>) -> thrift::Error {
    thrift::Error::Protocol(ProtocolError::new(ProtocolErrorKind::InvalidData, what))
}

#[cfg(test)]
mod tests {
    use thrift::protocol::{TBinaryInputProtocol, TBinaryOutputProtocol};

    use super::*;

    #[test]
    fn values_come_back_from_the_wire_and_from_the_journal() {
        let fields = vec![
            (1, Value::texts(["2024-01-01", "ü"])),
            (2, Value::List(Kind::Struct, Vec::new())),
            (3, Value::Map(Kind::String, Kind::I64, vec![(Value::text("rows"), Value::I64(-1))])),
            (4, Value::Set(Kind::I16, vec![Value::I16(3)])),
            (5, Value::Struct(vec![(7, Value::Bytes(vec![0xff, 0])), (8, Value::Bool(true)), (9, Value::I8(-3))])),
            (6, Value::Double(0.1_f64.to_bits())),
            (300, Value::I32(i32::MIN)),
        ];
        let mut wire = Vec::new();
        Value::write_fields(&mut TBinaryOutputProtocol::new(&mut wire, true), &fields).unwrap();
        let read = Value::read_fields(&mut TBinaryInputProtocol::new(wire.as_slice(), true)).unwrap();
        assert_eq!(read, fields);
        let text = serde_json::to_string(&Value::Struct(fields.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::Struct(fields));
    }

    #[test]
    fn what_is_cut_or_too_deep_is_an_error() {
        let mut deep = Value::Bool(true);
        for _ in 0..=DEEPEST {
            deep = Value::List(deep.kind(), vec![deep]);
        }
        let mut wire = Vec::new();
        Value::write_fields(&mut TBinaryOutputProtocol::new(&mut wire, true), &vec![(1, deep)]).unwrap();
        assert!(Value::read_fields(&mut TBinaryInputProtocol::new(wire.as_slice(), true)).is_err());
        let cut = [12, 0, 1, 11];
        assert!(Value::read_fields(&mut TBinaryInputProtocol::new(cut.as_slice(), true)).is_err());
    }
}
