//! Linker options of the native library.

fn main() {
    // The library starts threads that outlive any class loader: it must never be unmapped.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
