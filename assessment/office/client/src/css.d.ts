/** Styles that a script brings along; esbuild puts them beside it. */
declare module "*.css";
