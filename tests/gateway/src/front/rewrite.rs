//! Answers that a release words differently.

use http::{Response, StatusCode, header};
use http_body_util::BodyExt;
use s3s::Body;

use crate::quirks::{EtagElement, Quirks};

/// Marks the answer to a CompleteMultipartUpload that had succeeded before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replayed;

/// Puts the ETag element of an answer into the form that the release gives it.
pub(super) async fn rewrite(answer: Response<Body>, operation: &str, quirks: Quirks) -> Response<Body> {
    let form = match operation {
        "CompleteMultipartUpload" if answer.extensions().get::<Replayed>().is_some() => quirks.behaviour().replay_etag,
        "UploadPartCopy" => quirks.behaviour().part_copy_etag,
        "CompleteMultipartUpload" => quirks.behaviour().complete_etag,
        "CopyObject" => quirks.behaviour().copy_etag,
        _ => EtagElement::Quoted,
    };
    if form == EtagElement::Quoted || answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let content = match body.collect().await {
        Ok(content) => content.to_bytes(),
        Err(_) => return Response::from_parts(parts, Body::empty()),
    };
    let rewritten = with_etag_element(&String::from_utf8_lossy(&content), form);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(rewritten))
}

fn with_etag_element(xml: &str, form: EtagElement) -> String {
    const OPEN: &str = "<ETag>";
    let element = xml
        .split_once(OPEN)
        .and_then(|(before, rest)| rest.split_once("</ETag>").map(|(etag, after)| (before, etag, after)));
    let Some((before, etag, after)) = element else {
        return xml.to_owned();
    };
    let bare = etag.replace("&quot;", "").replace('"', "");
    let etag = match form {
        EtagElement::Quoted => etag,
        EtagElement::Bare => &bare,
        EtagElement::Empty => "",
    };
    format!("{before}{OPEN}{etag}</ETag>{after}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("<R><ETag>&quot;ab-2&quot;</ETag></R>", EtagElement::Bare, "<R><ETag>ab-2</ETag></R>")]
    #[case("<R><ETag>\"ab-2\"</ETag></R>", EtagElement::Bare, "<R><ETag>ab-2</ETag></R>")]
    #[case("<R><ETag>\"ab-2\"</ETag></R>", EtagElement::Empty, "<R><ETag></ETag></R>")]
    #[case("<R><ETag>\"ab-2\"</ETag></R>", EtagElement::Quoted, "<R><ETag>\"ab-2\"</ETag></R>")]
    #[case("<R/>", EtagElement::Empty, "<R/>")]
    fn etag_element(#[case] xml: &str, #[case] form: EtagElement, #[case] expected: &str) {
        assert_eq!(with_etag_element(xml, form), expected);
    }
}
