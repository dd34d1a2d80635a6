// js-md4 0.3.2 has no types of its own; what is used of it.
declare module "js-md4" {
  interface Md4 {
    arrayBuffer(message: Uint8Array): ArrayBuffer;
  }
  const md4: Md4;
  export default md4;
}
