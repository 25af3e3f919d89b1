/** Something of the user's that cannot be used. Its message is written for people. */
export class Unusable extends Error {}
