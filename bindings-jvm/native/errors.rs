//! What Java is told when something fails: the class that the error table names, thrown with the error's own sentence.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::{JObject, JThrowable, JValue};
use jni::{Env, EnvUnowned, jni_sig, jni_str};
use s3core::{Error, ErrorKind};

use crate::{native_class, runtime};

/// Why a native method ends without a result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Core's own error; it becomes the Java exception of its row.
    Core(Error),
    /// A call into the JVM failed; the exception may be pending already.
    Java(jni::errors::Error),
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Core(Error::new(kind, message))
    }

    /// A stream or store whose id names nothing any more.
    pub(crate) fn closed(what: &str) -> Self {
        Self::new(ErrorKind::Closed, format!("{what} is closed!"))
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    fn into_error(self) -> Error {
        match self {
            Self::Core(error) => error,
            Self::Java(error) => Error::new(ErrorKind::Internal, format!("a call into the JVM failed: {error}")),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Self {
        Self::Java(error)
    }
}

/// Runs the body of a native method: errors and panics become Java exceptions.
pub(crate) fn export<'local, T: Default>(
    env: &mut EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T, Failure>,
) -> T {
    // What is dropped or started without waiting (an upload's next part, say) may start a task of its own.
    let _context = runtime::enter_if_started();
    env.with_env(body).resolve::<ThrowInJava>()
}

struct ThrowInJava;

impl<T: Default> ErrorPolicy<T, Failure> for ThrowInJava {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        if !env.exception_check() {
            throw(env, &failure.into_error());
        }
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        if !env.exception_check() {
            let what = describe_panic(payload.as_ref());
            throw(env, &Error::new(ErrorKind::Internal, format!("a defect in s3core, please report it: {what}")));
        }
        Ok(T::default())
    }
}

fn describe_panic(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

/// What the JUnit test of panics calls: a native method of the test's own class, which release builds do not have.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "it is what is tested")]
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_NativePanicTest_panic<'local>(
    mut env: EnvUnowned<'local>,
    _class: jni::objects::JClass<'local>,
) {
    export(&mut env, |_env| -> Result<(), Failure> { panic!("a panic for the test") });
}

/// Leaves an exception pending: that of the table, or a bare IOException where even making that fails.
fn throw(env: &mut Env<'_>, error: &Error) {
    if make(env, error).is_ok() || env.exception_check() {
        return;
    }
    // Only that the exception is pending matters: throwing "fails" with the exception that was thrown.
    let _ = env.throw_new(jni_str!("java/io/IOException"), jni::strings::JNIString::from(error.to_string()));
}

fn make(env: &mut Env<'_>, error: &Error) -> Result<(), Failure> {
    let class = env.new_string(error.kind().row().java)?;
    let location = match error.location() {
        Some(location) => env.new_string(location)?.into(),
        None => JObject::null(),
    };
    let message = env.new_string(error.to_string())?;
    let made = env
        .call_static_method(
            native_class()?,
            jni_str!("failure"),
            jni_sig!("(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;)Ljava/lang/Throwable;"),
            &[JValue::Object(&class), JValue::Object(&location), JValue::Object(&message)],
        )?
        .into_object()?;
    let throwable = env.cast_local::<JThrowable<'_>>(made)?;
    match env.throw(throwable) {
        Ok(()) | Err(jni::errors::Error::JavaException) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_can_make_every_exception_of_the_table() {
        let factory = include_str!("../src/main/java/org/s3core/hadoop/NativeFailure.java");
        for row in ErrorKind::TABLE.iter().filter(|row| row.java != "java.io.IOException") {
            assert!(factory.contains(&format!("case \"{}\":", row.java)), "NativeFailure lacks {}", row.java);
        }
    }

    #[test]
    fn a_panic_keeps_its_words() {
        let literal = std::panic::catch_unwind(|| panic!("literal")).unwrap_err();
        assert_eq!(describe_panic(literal.as_ref()), "literal");
        let formatted = std::panic::catch_unwind(|| panic!("formatted {}", 1)).unwrap_err();
        assert_eq!(describe_panic(formatted.as_ref()), "formatted 1");
        assert_eq!(describe_panic(&1), "a panic without a message");
    }
}
