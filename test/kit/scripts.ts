/** Letters of the world, for texts that must arrive whole. */

export const SCRIPTS: readonly (readonly [name: string, letters: string])[] = [
  ['Latin', 'the quick brown fox jumps over the lazy dog. '],
  ['Cyrillic', 'съешь же ещё этих мягких французских булок '],
  ['Chinese', '視野無限廣窗外有藍天'],
  ['Thai', 'เป็นมนุษย์สุดประเสริฐเลิศคุณค่า'],
  ['Arabic', 'نص حكيم له سر قاطع وذو شأن عظيم '],
  ['emoji', '👩‍👩‍👧‍👦🏳️‍🌈👍🏽'],
  ['one word', 'x'],
]

/** 4,000 characters. */
export const thousands = (letters: string): string => letters.repeat(4_000).slice(0, 4_000).toWellFormed()
