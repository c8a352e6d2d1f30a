// Which of the browser's interfaces the page and its workers use, as TypeScript's checker resolves them.
import ts from 'typescript';
import { ROOT } from './page.mjs';

/**
 * @typedef {object} Used
 * @property {string[]} names global names such as `fetch`, and members such as `Cache.match`
 * @property {string[]} options members of dictionaries that are passed, such as `FocusOptions.preventScroll`
 */

const isBrowsers = (/** @type {ts.Declaration} */ declaration) => /lib\.(dom|webworker)[^/]*\.d\.ts$/.test(declaration.getSourceFile().fileName);

/**
 * @param {string} config a `tsconfig` of the repository
 * @returns {Used}
 */
export function usedApis(config) {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (/** @type {any} */ problem) => { throw new Error(problem.messageText); } };
  const parsed = ts.getParsedCommandLineOfConfigFile(ROOT + config, {}, host);
  if (!parsed) throw new Error(`${config} cannot be read`);
  const program = ts.createProgram(parsed.fileNames, parsed.options);
  const checker = program.getTypeChecker();
  const [names, options] = [new Set(), new Set()];

  /** Names of a type, or of every member of a union. @param {ts.Type} type @returns {string[]} */
  const namesOf = (type) => (type.isUnionOrIntersection() ? type.types.flatMap(namesOf) : [(checker.getBaseConstraintOfType(type) ?? type).symbol?.name ?? '']);
  /** @param {ts.Symbol | undefined} symbol @param {ts.Type} owner @param {string} [written] what the owner is called in the source */
  const addMember = (symbol, owner, written = '') => {
    if (!symbol?.declarations?.some(isBrowsers)) return;
    for (const name of namesOf(owner)) {
      // The type of a constructor, with its static members, has no name.
      const known = name === '__type' ? written : name;
      if (known) names.add(known === 'globalThis' || known === 'Window' ? symbol.name : `${known}.${symbol.name}`);
    }
  };
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isPropertyAccessExpression(node)) {
      addMember(checker.getSymbolAtLocation(node.name), checker.getTypeAtLocation(node.expression), node.expression.getText());
    } else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const owner = checker.getTypeAtLocation(node.parent);
      addMember(owner.getProperty((node.propertyName ?? node.name).getText()), owner);
    } else if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) {
      const wanted = checker.getContextualType(node.parent);
      const option = wanted && checker.getNonNullableType(wanted).getProperty(node.name.getText());
      if (option?.declarations?.some(isBrowsers)) options.add(`${/** @type {any} */ (option).parent?.name}.${option.name}`);
    } else if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node)) {
      const isGlobal = (/** @type {ts.Declaration} */ each) => isBrowsers(each) && (ts.isVariableDeclaration(each) || ts.isFunctionDeclaration(each));
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol?.declarations?.some(isGlobal)) names.add(symbol.name);
    }
    ts.forEachChild(node, visit);
  };
  for (const source of program.getSourceFiles()) if (source.fileName.startsWith(ROOT) && !source.fileName.includes('node_modules')) visit(source);
  return { names: [...names].sort(), options: [...options].sort() };
}
