/** Stands in for Node modules that codec glue mentions but never calls in a browser. */
export default {}
