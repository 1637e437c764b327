//! The objects of the source that the base writes anew, each in one capacity alone: a file in which the structure tree is
//! also a page, say, would lose one of them. With them go new objects that refer to old ones, which have to be written too.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::{intake::Refusal, pdf::Object};

/// What an object is to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Catalog,
    Page,
    Annotations,
    Form,
    Fields,
    Field,
    StructureTree,
    StructureElement,
    ParentTree,
}

/// Objects by number, each with its role.
#[derive(Debug, Default)]
pub(super) struct Replaced(BTreeMap<u32, (Role, Object)>);

impl Replaced {
    /// Writes `number` as `object`, in place of what it was or is to be.
    ///
    /// # Errors
    /// [`Refusal::Broken`] if it already has another role.
    pub(super) fn put(&mut self, number: u32, role: Role, object: Object) -> Result<(), Refusal> {
        match self.0.entry(number) {
            Entry::Occupied(held) if held.get().0 != role => {
                let other = held.get().0;
                return Err(Refusal::Broken(format!("object {number} is {other:?} and {role:?} at once")));
            }
            Entry::Occupied(mut held) => held.get_mut().1 = object,
            Entry::Vacant(free) => drop(free.insert((role, object))),
        }
        Ok(())
    }

    /// What `number` will be, if it is to be written in this role.
    pub(super) fn get(&self, number: u32, role: Role) -> Option<&Object> {
        self.0.get(&number).filter(|(held, _)| *held == role).map(|(_, object)| object)
    }

    /// Puts one more item behind those of an array that is to be written in this role.
    pub(super) fn push(&mut self, number: u32, role: Role, item: impl Into<Object>) {
        if let Some((held, Object::Array(items))) = self.0.get_mut(&number)
            && *held == role
        {
            items.push(item.into());
        }
    }

    /// All of them.
    pub(super) fn into_objects(self) -> BTreeMap<u32, Object> {
        self.0.into_iter().map(|(number, (_, object))| (number, object)).collect()
    }
}
