/*L:400
 * Getting the default guest
 *
 * The first start takes a minute, every later one none: the image is looked for in the cache, and only if it is not
 * there are packages fetched and put together. An image belongs to a recipe, which is everything of ours that goes
 * into it; when lguest is updated and the recipe is another, the image is made anew from the packages that are still
 * here, without asking anybody.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildGuestImage, type OwnFile, PackageError } from '../../../guest/image/build.js';
import { USEFUL_MODULES } from '../../../guest/image/modules.js';
import { Apt } from './apt.js';
import type { GuestFlavour } from './flavours.js';
import { explainCacheError, ImageError } from './image-error.js';
import { readOwnFiles } from './own-files.js';
import { type PackageFile, readPackageFolder } from './package-folder.js';
import { formatMegabytes, type Progress, renderBar } from './progress.js';
import { type ImageStore, sha256, type StoredImage } from './store.js';

/** Changes when guest/image puts the same files together in another way. */
const RECIPE_FORMAT = 2;

/** Of one guest: today's, and those that an older lguest or an older package may still be wanted with. */
const MOST_IMAGES = 3;

export interface ImageRequest {
  flavour: GuestFlavour;
  /** `--packages`. */
  packages?: string | undefined;
  /** Build even if there is an image, of the newest packages there are. */
  fresh?: boolean;
}

/** The image, from the cache if possible. Rejects with `ImageError`. */
export async function obtainImage(
  store: ImageStore,
  request: ImageRequest,
  progress: Progress,
  ownFiles: readonly OwnFile[] = readOwnFiles(),
): Promise<StoredImage> {
  const { flavour, packages, fresh = false } = request;
  const recipe = recipeOf(ownFiles);
  const known = fresh || packages !== undefined ? undefined : store.find(flavour.name, recipe);
  if (known !== undefined) return known;

  store.sweep();
  try {
    const chosen = await choosePackages(store, request, progress);
    const same = fresh ? undefined : findBuiltFrom(store, flavour, recipe, chosen);
    return same ?? (await build(store, flavour, recipe, chosen, ownFiles, progress));
  } catch (error) {
    progress.abandon();
    throw explainCacheError(error, store.folder);
  } finally {
    store.sweep();
  }
}
/*:*/

const TITLE = 'building the default guest (once)';

interface ChosenPackages {
  kernel: PackageFile;
  busybox: PackageFile;
}

/** From the folder that was named; or those of an older image; or apt. */
async function choosePackages(
  store: ImageStore,
  { flavour, packages, fresh }: ImageRequest,
  progress: Progress,
): Promise<ChosenPackages> {
  if (packages !== undefined) {
    const chosen = await readPackageFolder(packages, flavour);
    for (const { bytes, sha256: hash } of [chosen.kernel, chosen.busybox]) store.addPackage(bytes, hash);
    return chosen;
  }
  const kept = fresh === true ? undefined : findKeptPackages(store, flavour);
  return kept ?? fetchPackages(store, flavour, progress);
}

/** An image made of the same packages by the same recipe. */
function findBuiltFrom(
  store: ImageStore,
  flavour: GuestFlavour,
  recipe: string,
  { kernel, busybox }: ChosenPackages,
): StoredImage | undefined {
  const wanted = [kernel.sha256, busybox.sha256].join();
  return store
    .list()
    .find(
      (image) =>
        image.guest === flavour.name &&
        image.recipe === recipe &&
        image.packages.map((entry) => entry.sha256).join() === wanted,
    );
}

function findKeptPackages(store: ImageStore, flavour: GuestFlavour): ChosenPackages | undefined {
  for (const packages of store.listPackages(flavour.name)) {
    const [kernel, busybox] = packages.map((entry) => {
      const bytes = store.readPackage(entry.sha256);
      return bytes && { ...entry, file: `${entry.name} ${entry.version}`, bytes };
    });
    if (kernel !== undefined && busybox !== undefined) return { kernel, busybox };
  }
  return undefined;
}

async function fetchPackages(store: ImageStore, flavour: GuestFlavour, progress: Progress): Promise<ChosenPackages> {
  progress.title(TITLE);
  store.checkRoom();
  const apt = new Apt(join(store.createTemporary(), 'apt'));
  progress.begin('package lists', renderBar(0, undefined));
  await apt.update((fraction) => progress.update(fraction, undefined));
  const meta = await apt.describe(flavour.kernelMetapackage);
  const kernelName = meta.depends
    .split(/[,|]/)
    .map((part) => part.trim().split(/\s/)[0]!)
    .find((name) => flavour.kernelPattern.test(name));
  if (kernelName === undefined) {
    throw new ImageError(
      `${meta.name} ${meta.version} names no kernel that lguest knows: it depends on ${meta.depends}.`,
    );
  }
  progress.end('done');
  const fetch = async (name: string): Promise<PackageFile> => {
    const wanted = await apt.describe(name);
    const kept = store.readPackage(wanted.sha256);
    progress.begin(wanted.name, renderBar(0, wanted.bytes));
    const folder = join(store.createTemporary(), 'download');
    mkdirSync(folder);
    const bytes = kept ?? (await apt.download(wanted, folder, (part) => progress.update(part, wanted.bytes)));
    const hash = sha256(bytes);
    if (hash !== wanted.sha256) throw new ImageError(`${name} did not arrive as Debian made it: try again.`);
    if (kept === undefined) store.addPackage(bytes, hash);
    progress.end(renderBar(1, wanted.bytes));
    return { name: wanted.name, version: wanted.version, sha256: hash, file: wanted.name, bytes };
  };
  return { kernel: await fetch(kernelName), busybox: await fetch(flavour.busyboxPackage) };
}

async function build(
  store: ImageStore,
  flavour: GuestFlavour,
  recipe: string,
  { kernel, busybox }: ChosenPackages,
  ownFiles: readonly OwnFile[],
  progress: Progress,
): Promise<StoredImage> {
  progress.title(TITLE);
  progress.begin('initramfs', 'unpacking (some seconds)');
  try {
    const image = await buildGuestImage(kernel.bytes, busybox.bytes, ownFiles);
    const record = {
      version: 1 as const,
      guest: flavour.name,
      release: image.release,
      recipe,
      packages: [kernel, busybox].map((entry) => ({
        name: entry.name,
        version: entry.version,
        sha256: entry.sha256,
      })),
      modules: image.moduleCount,
      kernelBytes: image.kernel.length,
      initramfsBytes: image.initramfs.length,
      built: new Date().toISOString(),
    };
    const stored = store.add(record, image.kernel, image.initramfs);
    for (const { id } of store
      .list()
      .filter(({ guest }) => guest === flavour.name)
      .slice(MOST_IMAGES))
      store.remove(id);
    progress.end(`done, ${image.moduleCount} modules, ${formatMegabytes(image.initramfs.length)}`);
    return stored;
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const { file } = error.which === 'kernel' ? kernel : busybox;
    throw new ImageError(`${file} ${error.message}.`);
  }
}

/** Hash of everything of ours that goes into an image. */
function recipeOf(ownFiles: readonly OwnFile[]): string {
  const files = ownFiles.map(({ path, mode, data }) => [path, mode, sha256(data)]);
  return sha256(JSON.stringify([RECIPE_FORMAT, USEFUL_MODULES, files])).slice(0, 16);
}
