//! Several processes, and one Secret that reaches each of them late: what any of them signs, every other can check.

use std::ops::RangeInclusive;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::Index;

use super::Keys;
use super::chest::{CHECKING, Chest, SPREADING};
use crate::wire::hello::{KEY_LENGTH, Key, KeyRing};

const NODES: usize = 4;

/// How many keys the operator keeps.
const KEPT: usize = 3;

/// How long kubelet takes at most to bring a Secret where it works, in seconds.
const SYNC: u64 = 90;

/// How long the operator takes at most to notice what became of the Secret, in seconds.
const NOTICE: u64 = 60;

/// The least time between two keys that the operator makes, in seconds.
const LEAST: u64 = 3_600;

/// How long the whole is watched after the last change, in seconds.
const REST: u64 = 3 * LEAST;

/// What becomes of the Secret.
#[derive(Clone, Debug)]
enum Change {
    /// A new key; the oldest of too many goes.
    Rotation,
    /// It is deleted; the operator makes it again, and rotates.
    Deletion,
    /// It is deleted while the operator starts anew, which makes one new key.
    Loss,
    /// Somebody takes a key out; the operator puts it back.
    Removal(Index),
}

impl Change {
    /// For how long after it no process may start, in seconds: what one that starts later finds does not tell it all.
    fn harms_starters_for(&self, gap: u64) -> Option<u64> {
        match self {
            Self::Rotation | Self::Deletion => None,
            Self::Loss => Some(gap + SYNC + SPREADING.as_secs()),
            Self::Removal(_) => Some(gap + SYNC),
        }
    }

    /// Gives what the Secret holds upon it, and once the operator has noticed.
    fn apply(&self, keys: &[u8], new: u8) -> Vec<Vec<u8>> {
        let rotated: Vec<_> = keys.iter().copied().chain([new]).collect();
        let rotated = rotated[rotated.len().saturating_sub(KEPT)..].to_vec();
        match self {
            Self::Rotation => vec![rotated],
            Self::Deletion => vec![Vec::new(), rotated],
            Self::Loss => vec![Vec::new(), vec![new]],
            Self::Removal(which) => {
                let mut left = keys.to_vec();
                left.remove(which.index(keys.len()));
                vec![left, keys.to_vec()]
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Step {
    change: Change,
    /// How long after the one before, and how long the operator takes to notice.
    pause: u64,
    gap: u64,
    nodes: Vec<Luck>,
}

/// What one node makes of a change.
#[derive(Clone, Debug)]
struct Luck {
    /// How late each of the Secret's states comes.
    delays: [u64; 2],
    /// Its process starts anew, so much after the change before is over; with what the Secret holds by then, or with what
    /// was in its folder.
    restart: Option<(u64, bool)>,
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        4 => Just(Change::Rotation),
        2 => Just(Change::Deletion),
        1 => Just(Change::Loss),
        1 => any::<Index>().prop_map(Change::Removal),
    ];
    // Where the link to the API server is down, it takes longer.
    let delay = prop_oneof![6 => 0..=SYNC, 1 => 0..LEAST - NOTICE];
    let restart = prop_oneof![LEAST - 200..=LEAST + 400, 0..=2 * LEAST];
    let luck = ([delay.clone(), delay], weighted(0.5, (restart, any::<bool>())));
    let luck = luck.prop_map(|(delays, restart)| Luck { delays, restart });
    let pause = prop_oneof![3 => LEAST..=LEAST + 300, 1 => LEAST..=30 * 86_400_u64];
    (change, pause, 0..=NOTICE, vec(luck, NODES)).prop_map(|(change, pause, gap, nodes)| Step {
        change,
        pause,
        gap,
        nodes,
    })
}

/// All that happens, in seconds.
#[derive(Debug, Default)]
struct Story {
    /// Since when the Secret holds what.
    states: Vec<(u64, Vec<u8>)>,
    /// When which state comes to each node.
    arrivals: [Vec<(u64, usize)>; NODES],
    restarts: [Vec<u64>; NODES],
    /// When none may start.
    harmful: Vec<RangeInclusive<u64>>,
    /// The last moment looked at.
    end: u64,
}

impl Story {
    fn of(steps: &[Step]) -> Self {
        let mut story = Self { states: vec![(0, vec![1])], ..Self::default() };
        story.arrivals.iter_mut().for_each(|arrivals| arrivals.push((0, 0)));
        let (mut over, mut restarts) = (LEAST, Vec::new());
        for step in steps {
            for (node, luck) in step.nodes.iter().enumerate() {
                restarts.extend(luck.restart.map(|(after, is_fresh)| (node, over + after, is_fresh)));
            }
            over = story.change(step, over);
        }
        for (node, at, is_fresh) in restarts {
            story.restart(node, at, is_fresh);
        }
        story.end = over + REST;
        story
    }

    /// Has the Secret change, and gives when it holds what it is to hold.
    fn change(&mut self, step: &Step, before: u64) -> u64 {
        let at = before + step.pause;
        let harm = step.change.harms_starters_for(step.gap);
        self.harmful.extend(harm.map(|harm| at..=at + harm));
        let (_, keys) = self.states.last().unwrap();
        let new = u8::try_from(self.states.len() + 1).unwrap();
        let mut since = at;
        for (nth, state) in step.change.apply(keys, new).into_iter().enumerate() {
            since = if nth == 0 { at } else { at + step.gap };
            for (arrivals, luck) in self.arrivals.iter_mut().zip(&step.nodes) {
                let delay = if harm.is_some() { luck.delays[nth].min(SYNC) } else { luck.delays[nth] };
                arrivals.push((since + delay, self.states.len()));
            }
            self.states.push((since, state));
        }
        since
    }

    fn restart(&mut self, node: usize, at: u64, is_fresh: bool) {
        if self.harmful.iter().any(|span| span.contains(&at)) {
            return;
        }
        self.restarts[node].push(at);
        if is_fresh {
            let newest = self.states.iter().rposition(|&(since, _)| since <= at).unwrap();
            self.arrivals[node].push((at, newest));
        }
    }

    /// Gives what is in the folder of a node.
    fn view(&self, node: usize, at: u64) -> Keys {
        let came = self.arrivals[node].iter().filter(|&&(arrival, _)| arrival <= at);
        let state = came.map(|&(_, state)| state).max().unwrap();
        self.states[state].1.iter().map(|&number| (number.into(), [number; KEY_LENGTH])).collect()
    }

    /// Gives every moment at which anything can change.
    fn moments(&self) -> Vec<u64> {
        let arrivals = self.arrivals.iter().flatten().map(|&(at, _)| at);
        let causes = arrivals.chain(self.restarts.iter().flatten().copied());
        let later = causes.flat_map(|at| [at, at + SPREADING.as_secs(), at + CHECKING.as_secs()]);
        let mut moments: Vec<_> = later.chain([self.end]).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }
}

fn ring_of(number: u8) -> KeyRing {
    KeyRing::new(vec![Key::new(&[number; KEY_LENGTH])])
}

/// A process, and the ring that it gave out last.
type Process = (Chest, KeyRing);

/// Has it all happen, with a look at the processes at each moment.
fn play(
    story: &Story,
    mut look: impl FnMut(u64, &[Process; NODES]) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut processes: [Process; NODES] = Default::default();
    for at in story.moments() {
        for (node, (chest, ring)) in processes.iter_mut().enumerate() {
            if story.restarts[node].contains(&at) {
                (*chest, *ring) = Default::default();
            }
            if let Some(changed) = chest.take_in(&story.view(node, at), Duration::from_secs(at)) {
                *ring = changed;
            }
        }
        look(at, &processes)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn whoever_signs_is_understood_by_everyone(steps in vec(step(), 1..6)) {
        let story = Story::of(&steps);
        play(&story, |at, processes| {
            for (chest, ring) in processes {
                let Some(tag) = ring.sign(b"hello") else { continue };
                for (other, (_, theirs)) in processes.iter().enumerate().filter(|(_, (_, ring))| !ring.is_empty()) {
                    let signer = chest.signs();
                    prop_assert!(theirs.verify(b"hello", &tag), "{other} knows no {signer:?} at {at}: {story:#?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn in_the_end_all_sign_with_the_second_newest_key_and_know_none_that_is_gone(steps in vec(step(), 1..6)) {
        let story = Story::of(&steps);
        let (_, last) = story.states.last().unwrap();
        let signer = last[last.len().saturating_sub(2)];
        play(&story, |at, processes| {
            for (chest, ring) in processes.iter().filter(|_| at == story.end) {
                prop_assert_eq!(chest.signs(), Some(signer.into()));
                for number in 1..=u8::try_from(story.states.len()).unwrap() {
                    let tag = ring_of(number).sign(b"hello").unwrap();
                    prop_assert_eq!(ring.verify(b"hello", &tag), last.contains(&number));
                }
            }
            Ok(())
        })?;
    }
}
