//! A tree of objects that can be changed and written again.

use std::fmt;

use crate::tlv::{Tag, Tlv, TlvError, Writer};

/// One object of a profile element.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Its tag.
    pub tag: Tag,
    /// What it holds.
    pub content: Content,
}

/// What an object holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Octets.
    Octets(Vec<u8>),
    /// Other objects.
    Nodes(Vec<Node>),
}

impl fmt::Debug for Node {
    /// Tags and lengths only: a profile holds keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Octets(octets) => write!(f, "{}[{}]", self.tag, octets.len()),
            Content::Nodes(nodes) => {
                write!(f, "{}", self.tag)?;
                f.debug_set().entries(nodes).finish()
            }
        }
    }
}

impl Node {
    /// An object of octets.
    #[must_use]
    pub fn octets(tag: Tag, octets: &[u8]) -> Self {
        Self {
            tag,
            content: Content::Octets(octets.to_vec()),
        }
    }

    /// An object of others.
    #[must_use]
    pub const fn nodes(tag: Tag, nodes: Vec<Self>) -> Self {
        Self {
            tag,
            content: Content::Nodes(nodes),
        }
    }

    /// Reads an object and all in it.
    ///
    /// # Errors
    /// [`TlvError`].
    pub fn parse(tlv: &Tlv<'_>) -> Result<Self, TlvError> {
        if !tlv.tag().is_constructed() {
            return Ok(Self::octets(tlv.tag(), tlv.value()));
        }
        let nodes = tlv.children()?.all()?;
        let nodes = nodes.iter().map(Self::parse).collect::<Result<_, _>>()?;
        Ok(Self::nodes(tlv.tag(), nodes))
    }

    /// Its octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match &self.content {
            Content::Octets(octets) => Writer::object(self.tag, octets),
            Content::Nodes(nodes) => Writer::nest(self.tag, |w| {
                for one in nodes {
                    w.raw(&one.encode());
                }
            }),
        }
    }

    /// The objects in it; none when it holds octets.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match &self.content {
            Content::Octets(_) => &[],
            Content::Nodes(nodes) => nodes,
        }
    }

    /// The objects in it, to be changed.
    pub fn children_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.content {
            Content::Octets(_) => None,
            Content::Nodes(nodes) => Some(nodes),
        }
    }

    /// The first object in it with the tag.
    #[must_use]
    pub fn child(&self, tag: Tag) -> Option<&Self> {
        self.children().iter().find(|one| one.tag == tag)
    }

    /// The first object in it with the tag, to be changed.
    pub fn child_mut(&mut self, tag: Tag) -> Option<&mut Self> {
        self.children_mut()?.iter_mut().find(|one| one.tag == tag)
    }

    /// Its octets, when it holds no objects.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Octets(octets) => Some(octets),
            Content::Nodes(_) => None,
        }
    }

    /// The whole number in it, up to 64 bits.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let octets = self.value()?;
        let fits = !octets.is_empty() && octets.len() <= 8;
        fits.then(|| {
            octets
                .iter()
                .fold(0, |number, octet| (number << 8) | u64::from(*octet))
        })
    }

    /// Puts octets under a tag in it: in place of what is there, or else before the first object with a
    /// higher tag.
    pub fn put(&mut self, tag: Tag, octets: &[u8]) {
        self.put_node(Self::octets(tag, octets));
    }

    /// Puts an object in it, like [`put`](Self::put).
    pub fn put_node(&mut self, node: Self) {
        let Some(nodes) = self.children_mut() else {
            return;
        };
        if let Some(there) = nodes.iter_mut().find(|one| one.tag == node.tag) {
            *there = node;
            return;
        }
        let place = nodes
            .iter()
            .position(|one| one.order() > node.order())
            .unwrap_or(nodes.len());
        nodes.insert(place, node);
    }

    /// The number of a context tag: the order of components.
    fn order(&self) -> u32 {
        match self.tag.octets() {
            short @ 0..=0xFF => short & 0x1F,
            long => long & 0x7F,
        }
    }
}
