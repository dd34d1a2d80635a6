/** The part of the package `radius` 1.1.4 that the hub uses: its dictionaries. */
declare module "radius" {
  interface RadiusPackage {
    load_dictionaries(): void;
    vendor_name_to_id(name: string): string | undefined;
    attr_id_to_name(type: number, vendor?: string): string | undefined;
    /** Field 2 is the data type, 4 the numbers by name, 5 the flags. */
    _attr_to(type: number, vendor: string | undefined, field: 2): string | undefined;
    _attr_to(type: number, vendor: string | undefined, field: 4 | 5): Record<string, string> | undefined;
  }
  const radius: RadiusPackage;
  export default radius;
}
