//! CommonMark to dialects.
