/** Style sheets that are bundled by naming them. */
declare module '*.css';
